import requests

response = requests.patch(
    f"https://inkbox.ai/api/v1/tunnels/{tunnel_id}",
    headers={"X-API-Key": "YOUR_API_KEY"},
    json={"description": "Updated description"},
)
tunnel = response.json()
