import requests

response = requests.get(
    "https://inkbox.ai/api/v1/tunnels",
    headers={"X-API-Key": "YOUR_API_KEY"},
)
tunnels = response.json()["tunnels"]
