package import TunnelAgent
package import TunnelClient

/// Where the agent connects and what the public URL is, from what is known of the server.
package struct EdgePlan: Sendable, Hashable {
    package var edge: EdgeAddress
    package var zone: String
    package var publicURL: String

    /// Why no agent can serve the tunnel.
    package enum Flaw: Error, Hashable {
        /// The server does not say under which host the tunnel is public.
        case missingHost
        /// Agents connect over TLS only, and the server has no listener for it.
        case missingListener
    }

    /// - Parameters:
    ///   - chosen: what the person decided, which goes before everything.
    ///   - description: what the server says of itself, if it does.
    package init(
        tunnel: TunnelRecord, server: ServerURL, description: ServiceDescription?, chosen: EdgeAddress?
    ) throws(Flaw) {
        guard let host = tunnel.publicHost, let zone = tunnel.zone ?? description?.zone ?? Self.zone(of: host) else {
            throw .missingHost
        }
        self.zone = zone
        if let chosen { edge = chosen } else { edge = try Self.edge(zone: zone, server: server, description: description) }
        let port = description?.httpsPort ?? edge.port
        publicURL = port == 443 ? "https://\(host)" : "https://\(host):\(port)"
    }

    private static func edge(
        zone: String, server: ServerURL, description: ServiceDescription?
    ) throws(Flaw) -> EdgeAddress {
        if let text = description?.edge, let edge = EdgeAddress(text) { return edge }
        // On one machine the zone's name need not resolve: the server's own address will do.
        let host = server.isLoopback && !zone.hasSuffix("localhost") ? server.host : zone
        guard let description else {
            return server.scheme == .https
                ? EdgeAddress(host: server.host, port: server.port) : EdgeAddress(host: host, port: 443)
        }
        guard let port = description.httpsPort, (1...65535).contains(port) else { throw .missingListener }
        return EdgeAddress(host: host, port: port)
    }

    /// All of a public host behind its first label.
    private static func zone(of host: String) -> String? {
        host.firstIndex(of: ".").map { String(host[host.index(after: $0)...]) }
    }
}
