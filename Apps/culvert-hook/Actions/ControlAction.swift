import FileStorage
import TunnelClient
import TunnelDomain
import TunnelProfile
import TunnelWire

/// Does something to a tunnel, an identity or a key through the service's REST API, with a key of its own.
struct ControlAction: HookAction {
    let config: ControlConfig
    let timeout: Duration

    func perform(_ job: HookJob, stop: HookStop) async -> ActionOutcome {
        await stop.outcome(within: timeout) { await call(job) }
    }

    private func call(_ job: HookJob) async -> ActionOutcome {
        let subject = job.value(of: config.subject, json: try? JSONValue(parsing: job.event.body))
        guard !subject.isEmpty else { return ActionOutcome(verdict: .finalFailure, detail: "the event names no subject") }
        let server: ServerURL
        do { server = try ServerURL(validating: config.server) } catch {
            return ActionOutcome(verdict: .finalFailure, detail: "\(error)")
        }
        do {
            let client = CulvertClient(
                server: server, apiKey: .fixed(config.apiKey),
                transport: try NetworkTransport(trust: config.caFile.map { .authorities(file: $0) } ?? .system),
                userAgent: "culvert-hook/\(Version.text)")
            return try await act(on: subject, client)
        } catch let error as ClientError {
            return ActionOutcome(verdict: Self.verdict(on: error), detail: ServiceWords.text(error, server))
        } catch {
            return ActionOutcome(verdict: .failure, detail: "\(error)")
        }
    }

    /// What the service refuses it will refuse again; busy or out of reach is worth another attempt.
    private static func verdict(on error: ClientError) -> ActionOutcome.Verdict {
        guard case .refused(let refusal) = error else { return .failure }
        return (400...499).contains(refusal.status) && refusal.status != 429 ? .finalFailure : .failure
    }

    private func act(on subject: String, _ client: CulvertClient) async throws -> ActionOutcome {
        switch config.act {
        case .rotateConnectSecret:
            let id = try await tunnelID(subject, client)
            let file = try secretFile
            let secret = try await client.rotateConnectSecret(tunnelID: id)
            try file?.commit(Array("\(secret)\n".utf8))
        case .restoreTunnel: _ = try await client.restoreTunnel(id: try await tunnelID(subject, client))
        case .deleteTunnel: _ = try await client.deleteTunnel(id: try await tunnelID(subject, client))
        case .rotateSigningKey:
            let file = try secretFile
            let key = try await client.rotateSigningKey(ofIdentity: subject).signingKey
            try file?.commit(Array("\(key)\n".utf8))
        case .revokeAPIKey: try await client.revokeAPIKey(id: subject)
        case .deleteIdentity: try await client.deleteIdentity(handle: subject)
        }
        return ActionOutcome(verdict: .success, detail: "\(config.act.rawValue) done")
    }

    /// Where the new secret goes. It is made before the server is asked: without a place the old secret stays good.
    private var secretFile: DraftFile? {
        get throws { try config.secretFile.map { try DraftFile(for: $0) } }
    }

    /// A tunnel is named by its id or its name.
    private func tunnelID(_ subject: String, _ client: CulvertClient) async throws -> String {
        try await client.tunnel(named: subject)?.id ?? subject
    }
}
