curl -X POST "https://inkbox.ai/api/v1/tunnels" \
    -H "X-API-Key: YOUR_API_KEY" \
    -H "Content-Type: application/json" \
    -d '{"tunnel_name": "my-agent", "description": "Production webhook receiver"}'
