const response = await fetch(
    `https://inkbox.ai/api/v1/tunnels/${tunnelId}/force`,
    {
        method: "DELETE",
        headers: { "X-API-Key": "YOUR_ADMIN_API_KEY" },
    }
);
const tunnel = await response.json();
