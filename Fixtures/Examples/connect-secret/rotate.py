import requests

response = requests.post(
    f"https://inkbox.ai/api/v1/tunnels/{tunnel_id}/rotate-secret",
    headers={"X-API-Key": "YOUR_API_KEY"},
)
new_secret = response.json()["connect_secret"]
