internal import TunnelDomain
package import TunnelService

/// What the edge asks the control plane for; at hello and at the end of a connection, never per request.
package struct AgentRegistry: Sendable {
    let authorize: AuthorizeHello
    let recordConnected: RecordAgentConnected
    let recordDisconnected: RecordAgentDisconnected
    let clock: any WallClock

    package init(ports: ServicePorts) {
        authorize = AuthorizeHello(ports: ports)
        recordConnected = RecordAgentConnected(ports: ports)
        recordDisconnected = RecordAgentDisconnected(ports: ports)
        clock = ports.clock
    }

    func noteConnected(_ id: TunnelID, _ address: String, _ log: any EdgeLog) async {
        await note("connect", id, log) { try await recordConnected(id, from: address, at: clock.now) }
    }

    func noteDisconnected(_ id: TunnelID, _ log: any EdgeLog) async {
        await note("disconnect", id, log) { try await recordDisconnected(id, at: clock.now) }
    }

    private func note(_ what: String, _ id: TunnelID, _ log: any EdgeLog, _ record: () async throws -> Void) async {
        do {
            try await record()
        } catch {
            log.note("store.failed", [("what", what), ("tunnel", id.text), ("error", "\(error)")])
        }
    }
}

/// Takes one line of the edge's log. Values never hold a secret.
package protocol EdgeLog: Sendable {
    func note(_ event: String, _ details: [(String, String)])
}
