const response = await fetch("https://inkbox.ai/api/v1/tunnels", {
    headers: { "X-API-Key": "YOUR_API_KEY" },
});
const { tunnels } = await response.json();
