import Foundation
import TunnelAgent
import TunnelClient
import TunnelDomain
import TunnelProfile
import TunnelWire

/// Makes the listener its own tunnel: requests come over the agent's connection, and no port is open.
struct TunnelFront {
    let config: TunnelConfig
    let environment: [String: String]
    let reception: Reception
    let log: HookLog

    /// Finds the tunnel, or makes it, and an agent for it.
    func agent() async throws -> TunnelAgent {
        guard let address = config.server ?? environment["CULVERT_SERVER"] else {
            throw Complaint(
                "no server is known for the tunnel", advice: "Set “server” in “tunnel”, or CULVERT_SERVER.", exitCode: .usage)
        }
        guard let key = try config.apiKey ?? keyOfEnvironment() else {
            throw Complaint(
                "no API key is known for the tunnel", advice: "Set “apiKey” in “tunnel”, or CULVERT_API_KEY_FILE.",
                exitCode: .usage)
        }
        let server = try ServerURL(validating: address)
        let caFile = config.caFile ?? environment["CULVERT_CA_FILE"]
        let client = CulvertClient(
            server: server, apiKey: .fixed(key),
            transport: try NetworkTransport(trust: caFile.map { .authorities(file: $0) } ?? .system),
            userAgent: "culvert-hook/\(Version.text)")
        do {
            return try await agent(client, server, key, caFile)
        } catch let error as ClientError {
            throw ServiceWords.complaint(error, server)
        }
    }

    private func agent(
        _ client: CulvertClient, _ server: ServerURL, _ key: String, _ caFile: String?
    ) async throws -> TunnelAgent {
        let tunnel: TunnelRecord
        var credential = AgentCredential.apiKey(key)
        if let found = try await client.tunnel(named: config.name) {
            tunnel = found
        } else {
            let created = try await client.createTunnel(named: config.name)
            tunnel = created.tunnel
            if let secret = created.connectSecret { credential = .connectSecret(secret) }
        }
        let plan: EdgePlan
        let description = try await client.serviceDescription()
        do throws(EdgePlan.Flaw) {
            plan = try EdgePlan(tunnel: tunnel, server: server, description: description, chosen: nil)
        } catch {
            throw Complaint(error, server: server)
        }
        let (url, reception) = (plan.publicURL, reception)
        let configuration = AgentConfiguration(
            zone: plan.zone, edge: plan.edge, tunnelID: tunnel.id, publicHost: tunnel.publicHost ?? plan.zone, publicURL: url,
            credential: credential,
            trust: caFile.map { .authorities(file: $0) } ?? .system)
        return TunnelAgent(configuration, serving: .handler { request in await Self.answer(request, url, reception) })
    }

    private func keyOfEnvironment() throws -> String? {
        guard let file = environment["CULVERT_API_KEY_FILE"] else { return nil }
        guard let data = FileManager.default.contents(atPath: file) else { throw Complaint("\(file) cannot be read") }
        return String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    private static func answer(_ request: AgentRequest, _ url: String, _ reception: Reception) async -> AgentResponse {
        let reply = await reply(to: request, url, reception)
        var fields = reply.fields.map { AgentField($0.name, $0.value) }
        if !reply.body.isEmpty { fields.append(AgentField("content-type", reply.contentType)) }
        fields.append(AgentField("cache-control", "no-store"))
        return AgentResponse(status: reply.status, fields: fields, body: reply.body)
    }

    private static func reply(to request: AgentRequest, _ url: String, _ reception: Reception) async -> HookReply {
        if case .none(let reply) = reception.match(method: request.method, target: request.path) { return reply }
        let limits = reception.bodyLimits
        let share = BodyShare(of: reception.bodyRoom, byteCountMax: limits.together)
        defer { withExtendedLifetime(share) {} }
        var body: [UInt8] = []
        do {
            for try await piece in request.body {
                guard body.count + piece.count <= limits.each else { return reception.tooLong }
                guard share.take(piece.count) else { return reception.tooMuchAtOnce }
                body += piece
            }
        } catch {
            return .problem(400, "The body broke off")
        }
        return await reception.receive(
            IncomingHook(
                method: request.method, target: request.path, origin: url,
                fields: request.fields.map { WebhookField($0.name, $0.value) }, body: body, address: request.forwardedFor))
    }

    /// Runs the agent and notes what becomes of the tunnel, until the agent ends.
    func run(_ agent: TunnelAgent) async -> AgentStop {
        async let stop = agent.run()
        await follow(agent)
        return await stop
    }

    private func follow(_ agent: TunnelAgent) async {
        for await event in agent.events {
            switch event {
            case .connecting(let edge): log.note("tunnel.connecting", [("edge", "\(edge)")])
            case .connected(let url): log.note("tunnel.connected", [("url", url)])
            case .reconnecting(let pause, let reason):
                log.note("tunnel.reconnecting", [("after", "\(pause)"), ("reason", reason)])
            case .handingOver(let reason): log.note("tunnel.handing_over", [("reason", reason)])
            // The last four are of shared and of passthrough tunnels, which this listener does not serve.
            case .request, .sharing, .connection, .certificateRenewed, .certificateNotRenewed: break
            case .stopped(let stop): log.note("tunnel.stopped", [("reason", "\(stop)")])
            }
        }
    }
}

extension Complaint {
    fileprivate init(_ flaw: EdgePlan.Flaw, server: ServerURL) {
        switch flaw {
        case .missingHost: self.init("the server does not say under which host the tunnel is public")
        case .missingListener:
            self.init(
                "\(server) has no HTTPS listener, and the tunnel needs one", advice: "Start culvertd with --https ADDR:PORT.")
        }
    }
}
