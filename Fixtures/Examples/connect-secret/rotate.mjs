const response = await fetch(
    `https://inkbox.ai/api/v1/tunnels/${tunnelId}/rotate-secret`,
    {
        method: "POST",
        headers: { "X-API-Key": "YOUR_API_KEY" },
    }
);
const { connect_secret } = await response.json();
