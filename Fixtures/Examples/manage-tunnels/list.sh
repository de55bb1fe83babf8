curl -X GET "https://inkbox.ai/api/v1/tunnels" \
    -H "X-API-Key: YOUR_API_KEY"
