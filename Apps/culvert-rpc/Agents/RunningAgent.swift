internal import FoundationEssentials
internal import Synchronization
internal import TunnelAgent
internal import TunnelClient
internal import TunnelDomain
internal import TunnelProfile
internal import TunnelWire

/// What answers the requests of an agent in this process.
enum AgentMode: Sendable {
    /// A local program, and nothing is looked at on the way.
    case target(AgentTarget, TargetAddressPolicy)
    /// A local program; requests and answers pass through whole, so that they can be remembered.
    case capturing(AgentTarget, ServerURL)
    /// The client.
    case handler
    /// The same answer for everyone.
    case fixed(AgentResponse)

    var word: String {
        switch self {
        case .target, .capturing: "target"
        case .handler: "handler"
        case .fixed: "respond"
        }
    }

    var target: AgentTarget? {
        switch self {
        case .target(let target, _), .capturing(let target, _): target
        case .handler, .fixed: nil
        }
    }
}

/// One agent of this process, from its start to its end.
final class RunningAgent: Sendable {
    private struct State {
        var status = "connecting"
        var publicURL: String
        var reason: String?
        var requestCount = 0
        var isStopped = false
        var settled: [CheckedContinuation<Void, Never>] = []
    }

    let id: String
    let tunnel: TunnelRecord
    let mode: AgentMode
    private let exchange: AgentExchange
    private let state: Mutex<State>
    private let tell: @Sendable (Notice) -> Void

    init(
        id: String, tunnel: TunnelRecord, publicURL: String, mode: AgentMode, exchange: AgentExchange,
        tell: @escaping @Sendable (Notice) -> Void
    ) {
        self.id = id
        self.tunnel = tunnel
        self.mode = mode
        self.exchange = exchange
        self.tell = tell
        state = Mutex(State(publicURL: publicURL))
    }

    var work: AgentWork {
        switch mode {
        case .target(let target, let policy): .target(target, policy)
        case .capturing, .handler, .fixed:
            .handler { [self] request in try await exchange.answer(request, agent: id, tunnel: tunnel.tunnelName, mode) }
        }
    }

    var isStopped: Bool { state.withLock { $0.isStopped } }

    var document: JSON {
        let state = state.withLock { $0 }
        return JSON.some([
            "agent": .string(id), "tunnel": .string(tunnel.tunnelName), "tunnel_id": .string(tunnel.id),
            "public_url": .string(state.publicURL), "mode": .string(mode.word),
            "target": mode.target.map { .string($0.description) }, "status": .string(state.status),
            "reason": state.reason.map(JSON.string), "requests": .integer(state.requestCount),
        ])
    }

    /// Takes what the agent tells of itself.
    func note(_ event: AgentEvent) {
        switch event {
        case .connecting: change("connecting")
        case .connected(let url): change("connected", url: url)
        case .reconnecting(_, let reason): change("reconnecting", reason: reason)
        case .handingOver(let reason): change("handing-over", reason: reason)
        case .stopped(let stop): change("stopped", reason: stop.description)
        case .request(let report): count(report)
        // Those are of shared and of passthrough tunnels, which this program does not serve.
        case .sharing, .connection, .certificateRenewed, .certificateNotRenewed: break
        }
    }

    private func change(_ status: String, url: String? = nil, reason: String? = nil) {
        let settled = state.withLock { state -> [CheckedContinuation<Void, Never>] in
            state.status = status
            state.reason = reason.map { Printable.text($0, characterCountMax: 400) }
            if let url { state.publicURL = url }
            state.isStopped = state.isStopped || status == "stopped"
            guard status == "connected" || status == "stopped" else { return [] }
            defer { state.settled = [] }
            return state.settled
        }
        for continuation in settled { continuation.resume() }
        tell(.agentStatus(agent: document, tunnel: tunnel.tunnelName))
    }

    private func count(_ report: RequestReport) {
        state.withLock { $0.requestCount += 1 }
        // Of the other modes everything is known already.
        if case .target = mode { exchange.note(report, agent: id, tunnel: tunnel.tunnelName) }
    }

    /// Returns once the agent has connected, has ended, or the time is up.
    func settled(withinSeconds seconds: Int) async {
        let timer = Task { [self] in
            try await Task.sleep(for: .seconds(seconds))
            let settled = state.withLock { state in
                defer { state.settled = [] }
                return state.settled
            }
            for continuation in settled { continuation.resume() }
        }
        defer { timer.cancel() }
        await withCheckedContinuation { continuation in
            let isSettled = state.withLock { state in
                guard state.status != "connected", state.status != "stopped" else { return true }
                state.settled.append(continuation)
                return false
            }
            if isSettled { continuation.resume() }
        }
    }
}
