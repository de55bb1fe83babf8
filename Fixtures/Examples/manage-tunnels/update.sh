curl -X PATCH "https://inkbox.ai/api/v1/tunnels/TUNNEL_ID" \
    -H "X-API-Key: YOUR_API_KEY" \
    -H "Content-Type: application/json" \
    -d '{"description": "Updated description"}'
