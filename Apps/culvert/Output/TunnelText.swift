internal import FoundationEssentials
internal import TunnelClient

/// Tunnels as people read them.
enum TunnelText {
    static func table(_ tunnels: [TunnelRecord]) -> String {
        guard !tunnels.isEmpty else { return "There are no tunnels. \"culvert http PORT\" makes one." }
        let rows = [["NAME", "STATUS", "AGENT", "PUBLIC HOST", "ID"]] + tunnels.map(row)
        let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { cells in
            zip(cells, widths).enumerated().map { index, cell in
                index == cells.count - 1 ? cell.0 : cell.0 + String(repeating: " ", count: cell.1 - cell.0.count)
            }.joined(separator: "  ")
        }.joined(separator: "\n")
    }

    private static func row(_ tunnel: TunnelRecord) -> [String] {
        [
            tunnel.tunnelName, tunnel.status.word, tunnel.currentlyConnected ? "connected" : "-", tunnel.publicHost ?? "-",
            tunnel.id,
        ].map { Printable.text($0) }
    }

    static func details(_ tunnel: TunnelRecord) -> String {
        let lines: [(String, String?)] = [
            ("name", tunnel.tunnelName), ("id", tunnel.id), ("status", tunnel.status.word), ("public host", tunnel.publicHost),
            ("tls mode", tunnel.tlsMode.word), ("agent", tunnel.currentlyConnected ? "connected" : "not connected"),
            ("last connected", tunnel.lastConnectedAt.map(time)), ("last disconnected", tunnel.lastDisconnectedAt.map(time)),
            ("identity", tunnel.agentIdentityID), ("description", tunnel.description),
            ("metadata", tunnel.metadata.isEmpty ? nil : json(tunnel.metadata)),
            ("certificate until", tunnel.certExpiresAt.map(time)), ("restorable until", tunnel.restoreDeadlineAt.map(time)),
            ("created", tunnel.createdAt.map(time)), ("updated", tunnel.updatedAt.map(time)),
        ]
        let present = lines.compactMap { name, value in value.map { (name, $0) } }
        let width = present.map(\.0.count).max() ?? 0
        return present.map { name, value in
            "\(name)\(String(repeating: " ", count: width - name.count))  \(Printable.text(value, characterCountMax: 1_000))"
        }.joined(separator: "\n")
    }

    static func time(_ date: Date) -> String { date.formatted(.iso8601) }

    private static func json(_ value: some Encodable) -> String {
        ((try? ClientJSON.encoder().encode(value)).map { String(decoding: $0, as: UTF8.self) }) ?? ""
    }
}
