internal import Synchronization
internal import TunnelAgent
internal import TunnelClient
internal import TunnelProfile
internal import TunnelWire

/// The agents of this process.
final class AgentFleet: Sendable {
    /// How an agent is to be started.
    struct Start: Sendable {
        /// Nil makes a new tunnel.
        var name: String?
        var mode: AgentMode
        var poolSize: Int?
        var mayTakeOver = false
    }

    private struct Member {
        var running: RunningAgent
        var seat: AgentSeat
        var task: Task<Void, Never>
    }

    private struct State {
        var members: [Member] = []
        var lastNumber = 0
        var isClosing = false
        /// Agents that are being prepared.
        var startingCount = 0
    }

    /// Ended agents that are still listed.
    private static let endedCountMax = 32

    let exchange: AgentExchange
    private let limits: Limits
    private let tell: @Sendable (Notice) -> Void
    private let state = Mutex(State())

    init(limits: Limits, exchange: AgentExchange, tell: @escaping @Sendable (Notice) -> Void) {
        self.limits = limits
        self.exchange = exchange
        self.tell = tell
    }

    var documents: [JSON] { state.withLock { $0.members.map(\.running) }.map(\.document) }

    func agent(_ id: String) -> RunningAgent? { state.withLock { $0.members.first { $0.running.id == id }?.running } }

    /// Starts an agent and waits until third parties can reach it.
    func start(_ start: Start, _ server: ServerAccess, report: (@Sendable (Progress) -> Void)?) async throws -> JSON {
        try reserve()
        defer { state.withLock { $0.startingCount -= 1 } }
        report?(Progress(done: 1, total: 4, message: "looking up the tunnel"))
        let served = try await server.servedTunnel(named: start.name, mayTakeOver: start.mayTakeOver)
        report?(Progress(done: 2, total: 4, message: "asking where agents connect"))
        let plan = try EdgePlan(
            tunnel: served.tunnel, server: server.profile.server, description: try await server.client.serviceDescription(),
            chosen: server.profile.edge)
        try Task.checkCancellation()
        report?(Progress(done: 3, total: 4, message: "connecting"))
        let running = try launch(start, served, plan, server.profile)
        await running.settled(withinSeconds: limits[.connectSeconds])
        guard !running.isStopped else {
            let reason = running.document["reason"]?.stringValue ?? ""
            throw RPCFailure.make(.agent, "the agent has ended: \(reason)", running.document)
        }
        report?(Progress(done: 4, total: 4, message: "connected"))
        return running.document
    }

    private func reserve() throws {
        try state.withLock { state in
            guard !state.isClosing else { throw RPCFailure.make(.agent, "the input has ended; no agent is started any more") }
            let count = state.members.count { !$0.running.isStopped } + state.startingCount
            guard count < limits[.agents] else {
                throw RPCFailure.make(.agent, "\(count) agents are running; stop one, or start with --limit agents=N")
            }
            state.startingCount += 1
        }
    }

    private func launch(_ start: Start, _ served: ServedTunnel, _ plan: EdgePlan, _ profile: Profile) throws -> RunningAgent {
        var limits = AgentLimits()
        limits.drainSecondsMax = self.limits[.drainSeconds]
        let configuration = AgentConfiguration(
            zone: plan.zone, edge: plan.edge, tunnelID: served.tunnel.id, publicHost: served.tunnel.publicHost ?? plan.zone,
            publicURL: plan.publicURL, credential: served.credential,
            trust: profile.caFile.map { .authorities(file: $0) } ?? .system, poolSize: start.poolSize, limits: limits)
        return try state.withLock { state in
            guard !state.isClosing else { throw CancellationError() }
            state.lastNumber += 1
            let running = RunningAgent(
                id: "agent-\(state.lastNumber)", tunnel: served.tunnel, publicURL: plan.publicURL, mode: start.mode,
                exchange: exchange, tell: tell)
            let seat = AgentSeat(TunnelAgent(configuration, serving: running.work))
            let task = Task.detached { await seat.serve(running, configuration, profile.apiKey) }
            state.members.append(Member(running: running, seat: seat, task: task))
            forgetOldest(&state)
            return running
        }
    }

    private func forgetOldest(_ state: inout State) {
        var surplus = state.members.count { $0.running.isStopped } - Self.endedCountMax
        state.members.removeAll { member in
            guard surplus > 0, member.running.isStopped else { return false }
            surplus -= 1
            return true
        }
    }

    /// Stops an agent and waits for its end; one that has ended already stays as it is.
    func stop(_ id: String) async throws -> JSON {
        guard let member = state.withLock({ $0.members.first { $0.running.id == id } }) else {
            throw RPCFailure.notFound(
                "there is no agent \"\(Printable.text(id))\" in this process; agent.list shows those there are")
        }
        await end(member)
        return member.running.document
    }

    /// An agent that is only just starting does not hear the first call, so it is asked until it has ended.
    private func end(_ member: Member) async {
        let asking = Task {
            while !Task.isCancelled {
                member.seat.stop()
                try await Task.sleep(for: .milliseconds(100))
            }
        }
        await member.task.value
        asking.cancel()
    }

    /// Stops every agent, and lets none start any more.
    func stopAll() async {
        let members = state.withLock { state in
            state.isClosing = true
            return state.members
        }
        for member in members { member.seat.stop() }
        for member in members { await end(member) }
    }
}
