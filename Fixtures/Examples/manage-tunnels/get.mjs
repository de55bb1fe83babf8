const response = await fetch(
    `https://inkbox.ai/api/v1/tunnels/${tunnelId}`,
    { headers: { "X-API-Key": "YOUR_API_KEY" } }
);
const tunnel = await response.json();
