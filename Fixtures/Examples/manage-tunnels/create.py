import requests

response = requests.post(
    "https://inkbox.ai/api/v1/tunnels",
    headers={"X-API-Key": "YOUR_API_KEY"},
    json={
        "tunnel_name": "my-agent",
        "description": "Production webhook receiver",
    },
)
data = response.json()
tunnel, connect_secret = data["tunnel"], data["connect_secret"]
