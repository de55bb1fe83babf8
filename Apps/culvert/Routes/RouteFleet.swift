internal import TunnelAgent
internal import TunnelClient

/// Routes that run side by side, each with an agent of its own.
actor RouteFleet {
    /// What happened to the fleet as a whole.
    enum Event: Sendable {
        /// Every route is up, with its name and URL.
        case ready([(name: String, url: String)])
        /// No route runs any more.
        case ended(ExitCode)
    }

    private final class Running {
        let name: String
        var settings: RouteSettings
        var agent: TunnelAgent?
        var url: String?
        /// It is no longer wanted, and finishes what it has begun.
        var isLeaving = false
        var hasEnded = false
        var counts: Bool { !isLeaving && !hasEnded }

        init(name: String, settings: RouteSettings) {
            self.name = name
            self.settings = settings
        }
    }

    private let settings: Settings
    private let output: AgentOutput
    /// Routes are named in what is told: there may be several.
    private let isLabelled: Bool
    private let outbox: AsyncStream<Event>.Continuation
    nonisolated let events: AsyncStream<Event>
    private var routes: [Running] = []
    private var isStopping = false
    private var exitCode = ExitCode.success

    init(settings: Settings, output: AgentOutput, isLabelled: Bool) {
        self.settings = settings
        self.output = output
        self.isLabelled = isLabelled
        (events, outbox) = AsyncStream.makeStream()
    }
}

// MARK: - Starting and changing

extension RouteFleet {
    /// Finds or makes the tunnel of every new route before any of them is served: all of them, or none.
    func serve(_ wanted: [RouteSettings]) async throws(Complaint) -> RouteChanges<RouteSettings> {
        let old = routes.filter(\.counts).map { (name: $0.name, settings: $0.settings) }
        let named = wanted.map { (name: $0.name ?? "", settings: $0) }
        let changes = RouteChanges(from: old, to: named)
        var prepared: [(settings: RouteSettings, route: PreparedRoute)] = []
        if !changes.added.isEmpty {
            let preparation = try await RoutePreparation(settings, output.console)
            for (name, settings) in named where changes.added.contains(name) {
                prepared.append((settings, try await preparation.prepare(settings)))
            }
        }
        for (name, settings) in named where changes.changed.contains(name) { try await change(name, to: settings) }
        for route in routes where route.counts && changes.removed.contains(route.name) {
            route.isLeaving = true
            route.agent?.stop()
        }
        routes.removeAll { $0.hasEnded }
        for (settings, route) in prepared {
            start(Running(name: route.tunnelName, settings: settings), route)
        }
        tellIfReady()
        return changes
    }

    /// Later requests are answered in the new way; those under way and open WebSockets go on as they began.
    private func change(_ name: String, to settings: RouteSettings) async throws(Complaint) {
        guard let route = routes.first(where: { $0.name == name && $0.counts }) else { return }
        do throws(TargetRefusal) {
            try await route.agent?.reconfigure(serving: settings.work, rules: settings.rules)
        } catch {
            throw Complaint("\(name): \(error)", exitCode: .usage)
        }
        if route.settings.poolSize != settings.poolSize {
            output.console.note("\(name): the new pool size counts when the agent is started again.")
        }
        if route.settings.isShared != settings.isShared {
            output.console.note("\(name): whether the tunnel is shared counts when the agent is started again.")
        }
        route.settings = settings
    }

    private func start(_ route: Running, _ prepared: PreparedRoute) {
        routes.append(route)
        Task { await run(route, prepared) }
    }

    /// Serves the route until it ends for good; an API key that was rotated meanwhile is taken up.
    private func run(_ route: Running, _ prepared: PreparedRoute) async {
        var configuration = prepared.configuration
        var log = AgentLog(output: output, route: route.settings, tunnelName: route.name, isLabelled: isLabelled)
        while true {
            configuration.rules = route.settings.rules
            let agent = TunnelAgent(configuration, serving: route.settings.work)
            route.agent = agent
            if isStopping { break }
            async let stop = agent.run()
            while let batch = await agent.events.nextBatch() {
                log.route = route.settings
                log.tell(batch)
                if route.url == nil, batch.contains(.connected(publicURL: configuration.publicURL)) {
                    route.url = configuration.publicURL
                    tellIfReady()
                }
            }
            let end = await stop
            guard let complaint = prepared.signer?.complaint(for: end) ?? log.complaint(for: end) else { break }
            if let credential = await newCredential(after: end, configuration.credential) {
                output.console.note("The API key was rotated; connecting with the new one.")
                configuration.credential = credential
            } else {
                output.console.complain(complaint)
                if exitCode == .success { exitCode = complaint.exitCode }
                break
            }
        }
        ended(route)
    }

    private func ended(_ route: Running) {
        route.hasEnded = true
        route.agent = nil
        tellIfReady()
        if routes.allSatisfy(\.hasEnded) { outbox.yield(.ended(exitCode)) }
    }

    private func tellIfReady() {
        let urls = routes.filter(\.counts).map { (name: $0.name, url: $0.url) }
        guard !isStopping, !urls.isEmpty, urls.allSatisfy({ $0.url != nil }) else { return }
        outbox.yield(.ready(urls.map { ($0.name, $0.url ?? "") }))
    }

    /// What to connect with after a refusal, when "culvert keys rotate" has put another key into its place meanwhile.
    private func newCredential(after stop: AgentStop, _ old: AgentCredential) async -> AgentCredential? {
        guard case .refused = stop, case .apiKey(let used) = old, let key = try? await settings.apiKey.key(), key != used else {
            return nil
        }
        return .apiKey(key)
    }
}

// MARK: - Ending

extension RouteFleet {
    /// Takes no more requests and lets those under way finish.
    func stop() {
        isStopping = true
        for route in routes { route.agent?.stop() }
        if routes.allSatisfy(\.hasEnded) { outbox.yield(.ended(exitCode)) }
    }
}
