import requests

response = requests.get(
    f"https://inkbox.ai/api/v1/tunnels/{tunnel_id}",
    headers={"X-API-Key": "YOUR_API_KEY"},
)
tunnel = response.json()
