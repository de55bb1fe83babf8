internal import TunnelDomain
package import TunnelService

/// What the edge asks the control plane for; at hello and at the end of a connection, never per request.
package struct AgentRegistry: Sendable {
    let authorize: AuthorizeHello
    let recordConnected: RecordAgentConnected
    let recordServing: RecordAgentServing
    let recordTakeoverRefused: RecordTakeoverRefused
    let recordDisconnected: RecordAgentDisconnected
    let clock: any WallClock
    let randomness: any Randomness

    package init(ports: ServicePorts) {
        authorize = AuthorizeHello(ports: ports)
        recordConnected = RecordAgentConnected(ports: ports)
        recordServing = RecordAgentServing(ports: ports)
        recordTakeoverRefused = RecordTakeoverRefused(ports: ports)
        recordDisconnected = RecordAgentDisconnected(ports: ports)
        clock = ports.clock
        randomness = ports.randomness
    }

    func noteConnected(_ id: TunnelID, _ address: String, _ log: any EdgeLog) async {
        await note("connect", id, log) { try await recordConnected(id, from: address, at: clock.now) }
    }

    func noteServing(_ id: TunnelID, _ address: String, supersededAddresses: [String], _ log: any EdgeLog) async {
        await note("serve", id, log) { try await recordServing(id, from: address, supersededAddresses: supersededAddresses) }
    }

    func noteTakeoverRefused(_ id: TunnelID, _ address: String, _ log: any EdgeLog) async {
        await note("refuse a takeover", id, log) { try await recordTakeoverRefused(id, from: address) }
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
