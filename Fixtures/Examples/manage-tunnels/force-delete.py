import requests

response = requests.delete(
    f"https://inkbox.ai/api/v1/tunnels/{tunnel_id}/force",
    headers={"X-API-Key": "YOUR_ADMIN_API_KEY"},
)
tunnel = response.json()
