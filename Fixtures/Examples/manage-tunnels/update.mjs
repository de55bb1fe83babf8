const response = await fetch(
    `https://inkbox.ai/api/v1/tunnels/${tunnelId}`,
    {
        method: "PATCH",
        headers: {
            "X-API-Key": "YOUR_API_KEY",
            "Content-Type": "application/json",
        },
        body: JSON.stringify({ description: "Updated description" }),
    }
);
const tunnel = await response.json();
