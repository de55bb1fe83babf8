internal import TunnelAgent
internal import TunnelClient
internal import TunnelProfile

/// A route whose tunnel is there: what its agent connects with.
struct PreparedRoute: Sendable {
    var tunnelName: String
    var configuration: AgentConfiguration
    /// For a route whose TLS ends in the agent.
    var signer: CertificateSigner?
}

/// Finds or makes the tunnels of routes, and asks where agents connect.
struct RoutePreparation {
    private let settings: Settings
    private let client: CulvertClient
    private let memory: TunnelMemory
    private let console: Console

    init(_ settings: Settings, _ console: Console) async throws(Complaint) {
        self.settings = settings
        self.console = console
        client = try settings.client
        memory = TunnelMemory(state: settings.locations.state, server: settings.server)
    }

    func prepare(_ route: RouteSettings) async throws(Complaint) -> PreparedRoute {
        let isEdge = route.ending == .server
        let search = TunnelSearch(settings: settings, client: client, memory: memory, mode: isEdge ? .edge : .passthrough)
        let ready = try await search.prepare(name: route.name, target: (isEdge ? "" : "tls:") + route.destination)
        let plan = try await EdgePlan.ask(client, for: ready.tunnel, settings)
        var prepared = PreparedRoute(
            tunnelName: ready.tunnel.tunnelName,
            configuration: AgentConfiguration(
                zone: plan.zone, edge: plan.edge, tunnelID: ready.tunnel.id, publicHost: ready.tunnel.publicHost ?? plan.zone,
                publicURL: plan.publicURL, credential: ready.credential,
                trust: settings.caFile.map { .authorities(file: $0) } ?? .system, poolSize: route.poolSize,
                isShared: route.isShared, rules: route.rules))
        switch route.ending {
        case .server: break
        case .agent: try addCertificate(to: &prepared, of: ready.tunnel)
        case .target: if ready.tunnel.status == .awaitingCert { throw Self.needsCertificate(ready.tunnel) }
        }
        return prepared
    }

    private func addCertificate(to route: inout PreparedRoute, of tunnel: TunnelRecord) throws(Complaint) {
        guard let host = tunnel.publicHost, let files = memory.hostFiles(ofTunnel: tunnel.tunnelName) else {
            throw Complaint("the server does not say under which host the tunnel is public")
        }
        let signer = CertificateSigner(client: client, server: settings.server, tunnel: tunnel, files: files, console: console)
        route.signer = signer
        route.configuration.publicHost = host
        route.configuration.tls = AgentTLS(keyPEM: try files.keyPEM(), chainPEM: try files.chainPEM()) { request in
            try await signer.sign(request)
        }
    }

    /// A tunnel is active from its first certificate on, and here the certificate is another program's.
    private static func needsCertificate(_ tunnel: TunnelRecord) -> Complaint {
        let name = Printable.text(tunnel.tunnelName)
        return Complaint(
            "the tunnel \(name) waits for its first certificate, and your TLS server needs one",
            advice: "Have it signed: culvert sign-csr \(name) --out DIR\n"
                + "Then let your server use the key and the certificate in DIR, and start this command again.",
            exitCode: .conflict)
    }
}
