import requests

response = requests.post(
    f"https://inkbox.ai/api/v1/tunnels/{tunnel_id}/restore",
    headers={"X-API-Key": "YOUR_API_KEY"},
)
tunnel = response.json()
