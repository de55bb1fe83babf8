internal import TunnelAgent

/// An agent, its scripted edge and its local target, running.
struct AgentUnderTest {
    let edge: ScriptedEdge
    var target: LocalTarget
    let agent: TunnelAgent
    let run: Task<AgentStop, Never>
    var edgeEvents: EventReader<ScriptedEdge.Event>
    var targetEvents: EventReader<LocalTarget.Event>
    var agentEvents: EventReader<AgentEvent>

    /// Limits that let a test end although a request is still open.
    static var impatient: AgentLimits {
        var limits = AgentLimits()
        limits.drainSecondsMax = 0
        return limits
    }

    /// Starts all three and waits until the agent is connected.
    static func connected(
        limits: AgentLimits = Self.impatient, serving work: AgentWork? = nil, poolSize: Int? = nil,
        rules: AgentRules = AgentRules(), toPlainServer: Bool = false, hello: ScriptedEdge.Hello? = nil
    ) async throws -> AgentUnderTest {
        let edge = try await ScriptedEdge()
        if toPlainServer { edge.answerHello(.plain) }
        if let hello { edge.answerHello(hello) }
        var test = try await started(edge: edge, limits: limits, serving: work, poolSize: poolSize, rules: rules)
        try await test.agentEvents.wait(for: .connected(publicURL: "https://my-agent.tunnels.test"))
        return test
    }

    static func started(
        edge: ScriptedEdge? = nil, limits: AgentLimits = Self.impatient, serving work: AgentWork? = nil, poolSize: Int? = nil,
        rules: AgentRules = AgentRules()
    ) async throws -> AgentUnderTest {
        let theEdge: ScriptedEdge
        if let edge { theEdge = edge } else { theEdge = try await ScriptedEdge() }
        let target = try await LocalTarget()
        var configuration = theEdge.configuration()
        configuration.limits = limits
        configuration.poolSize = poolSize
        configuration.rules = rules
        let agent = TunnelAgent(
            configuration, serving: try work ?? .target(AgentTarget(validating: "127.0.0.1:\(target.port)")))
        return AgentUnderTest(
            edge: theEdge, target: target, agent: agent, run: Task { await agent.run() },
            edgeEvents: EventReader(theEdge.events), targetEvents: EventReader(target.events),
            agentEvents: EventReader(agent.events))
    }

    /// Stops the agent and checks that it ended because of that.
    func stop() async -> AgentStop {
        agent.stop()
        return await run.value
    }

    /// Reads a whole reply: status, fields, announced length and the number of body bytes.
    mutating func reply(_ id: String) async throws -> Reply {
        var reply = try await edgeEvents.next { event -> Reply? in
            guard case .reply(id, let status, let fields, let length) = event else { return nil }
            return Reply(status: status, fields: fields, contentLength: length)
        }
        var byteCount = 0
        try await edgeEvents.next { event in
            if case .replyBody(id, let count) = event { byteCount += count }
            return event == .replyEnded(id: id) ? () : nil
        }
        reply.bodyByteCount = byteCount
        return reply
    }

    mutating func report() async throws -> RequestReport {
        try await agentEvents.next { if case .request(let report) = $0 { report } else { nil } }
    }
}

struct Reply: Equatable {
    var status: String
    var fields: [String]
    var contentLength: String?
    var bodyByteCount = 0
}
