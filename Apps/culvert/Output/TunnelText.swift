internal import FoundationEssentials
internal import TunnelClient

/// Tunnels as people read them.
enum TunnelText {
    static func table(_ tunnels: [TunnelRecord]) -> String {
        guard !tunnels.isEmpty else { return "There are no tunnels. \"culvert http PORT\" makes one." }
        return TextTable.rows(
            ["NAME", "STATUS", "AGENT", "PUBLIC HOST", "ID"],
            tunnels.map {
                [
                    $0.tunnelName, $0.status.word, agents($0) ?? "-", $0.publicHost ?? "-", $0.id,
                ]
            })
    }

    static func details(_ tunnel: TunnelRecord) -> String {
        TextTable.details([
            ("name", tunnel.tunnelName), ("id", tunnel.id), ("status", tunnel.status.word), ("public host", tunnel.publicHost),
            ("tls mode", tunnel.tlsMode.word), ("agent", agents(tunnel) ?? "not connected"),
            ("last connected", tunnel.lastConnectedAt.map(time)), ("last disconnected", tunnel.lastDisconnectedAt.map(time)),
            ("identity", tunnel.agentIdentityID), ("description", tunnel.description),
            ("metadata", tunnel.metadata.isEmpty ? nil : Console.json(tunnel.metadata)),
            ("certificate until", tunnel.certExpiresAt.map(time)), ("restorable until", tunnel.restoreDeadlineAt.map(time)),
            ("created", tunnel.createdAt.map(time)), ("updated", tunnel.updatedAt.map(time)),
        ])
    }

    /// `connected`, or `3 connected`; nil when no agent is.
    private static func agents(_ tunnel: TunnelRecord) -> String? {
        guard tunnel.currentlyConnected else { return nil }
        guard let count = tunnel.connectedAgentCount, count > 1 else { return "connected" }
        return "\(count) connected"
    }

    static func time(_ date: Date) -> String { date.formatted(.iso8601) }
}
