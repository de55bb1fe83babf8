curl -X GET "https://inkbox.ai/api/v1/tunnels/TUNNEL_ID" \
    -H "X-API-Key: YOUR_API_KEY"
