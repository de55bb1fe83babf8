curl -X POST "https://inkbox.ai/api/v1/tunnels/TUNNEL_ID/rotate-secret" \
    -H "X-API-Key: YOUR_API_KEY"
