internal import Glibc
internal import LinuxIO
internal import Synchronization
internal import TunnelAgent
internal import TunnelClient

/// `culvert http`: brings a local server up under a public name and stays until it is told to stop.
struct HTTPCommand {
    private let target: AgentTarget
    private let policy: TargetAddressPolicy
    private let name: String?
    private let poolSize: Int?
    private let settings: Settings
    private let console: Console

    /// Checks the command line before it asks who the server is: the nearest mistake is told first.
    init(words: ParsedWords, environment: [String: String], console: Console) throws(Complaint) {
        target = try Self.target(words.arguments[0])
        policy = words.has("--allow-remote") ? .anywhere : .loopbackOnly
        name = try words.value("--name").map { text throws(Complaint) in try TunnelArgument.name(text) }
        poolSize = try TunnelArgument.poolSize(words.value("--pool-size"))
        do { try policy.check(target) } catch { throw Complaint(error.description, exitCode: .usage) }
        settings = try Settings(words, environment: environment)
        self.console = console
    }

    func run() async throws(Complaint) -> ExitCode {
        let client = try settings.client
        let memory = TunnelMemory(state: settings.locations.state, server: settings.server)
        let served = ServedTunnel(settings: settings, client: client, memory: memory)
        let ready = try await served.prepare(name: name, target: target.description)
        let plan = try await plan(for: ready.tunnel, client)
        let configuration = AgentConfiguration(
            zone: plan.zone, edge: plan.edge, tunnelID: ready.tunnel.id, publicHost: ready.tunnel.publicHost ?? plan.zone,
            publicURL: plan.publicURL, credential: ready.credential,
            trust: settings.caFile.map { .authorities(file: $0) } ?? .system, poolSize: poolSize)
        let agent = TunnelAgent(configuration, serving: .target(target, policy))
        return try await serve(agent, AgentLog(console: console, target: target, tunnelName: ready.tunnel.tunnelName))
    }

    private func serve(_ agent: TunnelAgent, _ log: AgentLog) async throws(Complaint) -> ExitCode {
        let signals = try Interruption.watch { agent.stop() }
        async let stop = agent.run()
        var log = log
        for await event in agent.events { log.tell(event) }
        let reason = await stop
        signals.stop()
        if let complaint = log.complaint(for: reason) { throw complaint }
        return .success
    }

    private func plan(for tunnel: TunnelRecord, _ client: CulvertClient) async throws(Complaint) -> EdgePlan {
        let description: ServiceDescription?
        do { description = try await client.serviceDescription() } catch {
            throw Complaint(error, act: "ask where agents connect", server: settings.server)
        }
        return try EdgePlan(tunnel: tunnel, server: settings.server, description: description, chosen: settings.edge)
    }

    private static func target(_ text: String) throws(Complaint) -> AgentTarget {
        do { return try AgentTarget(validating: text) } catch {
            throw Complaint(Printable.text(error.description, characterCountMax: 400), exitCode: .usage)
        }
    }
}

/// Ctrl-C and SIGTERM: the first one asks, the second one ends the process.
enum Interruption {
    static func watch(_ ask: @escaping @Sendable () -> Void) throws(Complaint) -> EventLoop {
        let count = Atomic(0)
        let counter = Counter(count)
        do {
            let loop = try EventLoop()
            try Signals.watch([.interrupt, .terminate], on: loop) { _ in
                if counter.next() == 1 { ask() } else { exit(ExitCode.interrupted.rawValue) }
            }
            return loop
        } catch {
            throw Complaint("signals cannot be watched: \(error)")
        }
    }

    private final class Counter: Sendable {
        private let value: Atomic<Int>

        init(_ value: consuming Atomic<Int>) { self.value = value }

        func next() -> Int { value.add(1, ordering: .relaxed).newValue }
    }
}
