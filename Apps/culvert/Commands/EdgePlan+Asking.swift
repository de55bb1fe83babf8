internal import TunnelAgent
internal import TunnelClient
internal import TunnelProfile

extension EdgePlan {
    /// Asks the server where it wants its agents.
    static func ask(
        _ client: CulvertClient, for tunnel: TunnelRecord, _ settings: Settings
    ) async throws(Complaint) -> EdgePlan {
        let description: ServiceDescription?
        do { description = try await client.serviceDescription() } catch {
            throw Complaint(error, act: "ask where agents connect", server: settings.server)
        }
        do throws(EdgePlan.Flaw) {
            return try EdgePlan(tunnel: tunnel, server: settings.server, description: description, chosen: settings.edge)
        } catch {
            throw Complaint(error, server: settings.server)
        }
    }
}

extension Complaint {
    init(_ flaw: EdgePlan.Flaw, server: ServerURL) {
        switch flaw {
        case .missingHost:
            self.init("the server does not say under which host the tunnel is public", advice: "Is it a Culvert server?")
        case .missingListener:
            self.init(
                "\(server) has no HTTPS listener, and agents connect over TLS only",
                advice: "Start it with --https ADDR:PORT as well: culvertd serve --https 127.0.0.1:8443 …")
        }
    }
}
