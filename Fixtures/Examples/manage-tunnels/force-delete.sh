curl -X DELETE "https://inkbox.ai/api/v1/tunnels/TUNNEL_ID/force" \
    -H "X-API-Key: YOUR_ADMIN_API_KEY"
