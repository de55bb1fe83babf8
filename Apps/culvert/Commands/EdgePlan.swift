internal import TunnelAgent
internal import TunnelClient

/// Where the agent connects and what the public URL is, from what is known of the server.
struct EdgePlan: Hashable {
    var edge: EdgeAddress
    var zone: String
    var publicURL: String

    /// - Parameters:
    ///   - chosen: what the person decided, which goes before everything.
    ///   - description: what the server says of itself, if it does.
    init(
        tunnel: TunnelRecord, server: ServerURL, description: ServiceDescription?, chosen: EdgeAddress?
    ) throws(Complaint) {
        guard let host = tunnel.publicHost, let zone = tunnel.zone ?? description?.zone ?? Self.zone(of: host) else {
            throw Complaint(
                "the server does not say under which host the tunnel is public", advice: "Is it a Culvert server?")
        }
        self.zone = zone
        if let chosen { edge = chosen } else { edge = try Self.edge(zone: zone, server: server, description: description) }
        let port = description?.httpsPort ?? edge.port
        publicURL = port == 443 ? "https://\(host)" : "https://\(host):\(port)"
    }

    private static func edge(
        zone: String, server: ServerURL, description: ServiceDescription?
    ) throws(Complaint) -> EdgeAddress {
        if let text = description?.edge, let edge = EdgeAddress(text) { return edge }
        // On one machine the zone's name need not resolve: the server's own address will do.
        let host = server.isLoopback && !zone.hasSuffix("localhost") ? server.host : zone
        guard let description else {
            return server.scheme == .https
                ? EdgeAddress(host: server.host, port: server.port) : EdgeAddress(host: host, port: 443)
        }
        guard let port = description.httpsPort, (1...65535).contains(port) else {
            throw Complaint(
                "\(server) has no HTTPS listener, and agents connect over TLS only",
                advice: "Start it with --https ADDR:PORT as well: culvertd serve --https 127.0.0.1:8443 …")
        }
        return EdgeAddress(host: host, port: port)
    }

    /// All of a public host behind its first label.
    private static func zone(of host: String) -> String? {
        host.firstIndex(of: ".").map { String(host[host.index(after: $0)...]) }
    }
}
