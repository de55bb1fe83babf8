internal import Synchronization
internal import TunnelAgent
internal import TunnelClient

/// The agent that serves a tunnel for now: when its API key was rotated and it is refused, another takes its seat.
final class AgentSeat: Sendable {
    private let agent: Mutex<TunnelAgent>

    init(_ agent: TunnelAgent) { self.agent = Mutex(agent) }

    /// Asks the agent to take no more requests and to end.
    func stop() { agent.withLock { $0 }.stop() }

    /// Serves until the end, and tells what happens on the way.
    func serve(_ running: RunningAgent, _ configuration: AgentConfiguration, _ apiKey: APIKeySource) async {
        var configuration = configuration
        while let credential = await serveOnce(running, configuration, apiKey) {
            configuration.credential = credential
            let next = TunnelAgent(configuration, serving: running.work)
            agent.withLock { $0 = next }
        }
    }

    /// Serves with one key; what to go on with, or nil at the end.
    private func serveOnce(
        _ running: RunningAgent, _ configuration: AgentConfiguration, _ apiKey: APIKeySource
    ) async -> AgentCredential? {
        let agent = agent.withLock { $0 }
        async let end = agent.run()
        var last: AgentEvent?
        for await event in agent.events {
            guard case .stopped = event else {
                running.note(event)
                continue
            }
            last = event
        }
        if let credential = await Self.newCredential(after: await end, configuration.credential, apiKey) { return credential }
        if let last { running.note(last) }
        return nil
    }

    /// Another key may have taken the place of the one that is refused.
    private static func newCredential(
        after stop: AgentStop, _ old: AgentCredential, _ apiKey: APIKeySource
    ) async -> AgentCredential? {
        guard case .refused = stop, case .apiKey(let used) = old, let key = try? await apiKey.key(), key != used else {
            return nil
        }
        return .apiKey(key)
    }
}
