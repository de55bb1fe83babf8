const response = await fetch("https://inkbox.ai/api/v1/tunnels", {
    method: "POST",
    headers: {
        "X-API-Key": "YOUR_API_KEY",
        "Content-Type": "application/json",
    },
    body: JSON.stringify({
        tunnel_name: "my-agent",
        description: "Production webhook receiver",
    }),
});
const { tunnel, connect_secret } = await response.json();
