import FileStorage
import Foundation
import HTTPTransport
import LinuxIO
import SystemClock
import TLS
import TunnelAgent
import TunnelDomain

/// `culvert-hook serve`: joins the parts and runs them until it is told to stop.
struct Serve {
    private let path: String
    private let flags: Flags
    private let environment: [String: String]

    /// What is under way may go on for so long after a stop was asked for; then it is stopped and runs again later.
    private static let drainLimit: Duration = .seconds(20)

    init(_ flags: Flags, _ environment: [String: String]) throws {
        path = try flags.onlyArgument("FILE")
        self.flags = flags
        self.environment = environment
    }

    func run() async throws {
        let config = try load()
        let clock = SystemWallClock()
        let log = HookLog(clock: clock)
        let metrics = HookMetrics()
        let inbox = try Inbox.own(at: config.data)
        let locks = config.data + "/running"
        try FileManager.default.createDirectory(atPath: locks, withIntermediateDirectories: true)
        try await Self.endSurvivors(in: locks, log)
        let actions = ActionFactory(lockFolder: locks, clock: clock, loop: try EventLoop())
        let dispatcher = Dispatcher(
            inbox: inbox, clock: clock, log: log, metrics: metrics, lockFolder: locks, limits: config.limits
        ) { actions.make($0) }
        let reception = Reception(
            config: config, inbox: inbox, dispatcher: dispatcher, clock: clock, log: log, metrics: metrics)
        // Before the first old run begins, so that an address in use, or a wrong key, costs no attempt.
        let server = try HookServer(addresses: config.listen)
        let orders = try Orders()
        let tunnel = config.tunnel.map { TunnelFront(config: $0, environment: environment, reception: reception, log: log) }
        let agent = try await tunnel?.agent()
        try await dispatcher.recover(config)
        try await server.serve(reception)
        for address in server.addresses { log.note("listener.opened", [("address", "\(address)")]) }
        let carrier = Self.carry(agent, by: tunnel, orders)
        let upkeep = Task { await Upkeep(inbox: inbox, dispatcher: dispatcher, clock: clock, log: log).run(config.retention) }
        log.note("hook.started", [("routes", "\(config.routes.count)")])
        let loss = await follow(orders, hasPort: !config.listen.isEmpty, dispatcher, reception, log)
        log.note("hook.stopping")
        let impatience = Task { [stream = orders.stream] in
            for await order in stream where order == .stop { await dispatcher.stopNow() }
        }
        defer { impatience.cancel() }
        upkeep.cancel()
        agent?.stop()
        async let served: Void = server.stop(within: .seconds(5))
        await dispatcher.stop(within: Self.drainLimit)
        await served
        await carrier?.value
        await inbox.close()
        log.note("hook.stopped")
        if let loss {
            throw Complaint("the tunnel has ended, and there is no port: \(loss)", advice: "What was taken is in the inbox.")
        }
    }

    /// Does what is asked until an end is asked for. Without a port the end of the tunnel is one too, and given back.
    private func follow(
        _ orders: Orders, hasPort: Bool, _ dispatcher: Dispatcher, _ reception: Reception, _ log: HookLog
    ) async -> AgentStop? {
        for await order in orders.stream {
            switch order {
            case .reload: await reload(dispatcher, reception, log)
            case .stop: return nil
            case .tunnelEnded(let stop): if !hasPort { return stop }
            }
        }
        return nil
    }

    private func load() throws -> HookConfig {
        var config = try HookConfig.load(path, environment: environment)
        if let data = flags.values["--data"] { config.data = data }
        if let name = flags.values["--tunnel"] {
            var tunnel = config.tunnel ?? TunnelConfig(name: name)
            tunnel.name = name
            config.tunnel = tunnel
        }
        if let text = flags.values["--listen"] {
            guard let address = SocketAddress(text) else {
                throw Complaint("\(text) is no address", advice: "One looks like 127.0.0.1:9000.", exitCode: .usage)
            }
            config.listen = [address]
        }
        guard !config.listen.isEmpty || config.tunnel != nil else {
            throw Complaint(
                "there is nothing to listen on", advice: "Give “listen” or “tunnel” in \(path), or --listen or --tunnel.",
                exitCode: .usage)
        }
        return config
    }

    /// A file with a mistake changes nothing.
    private func reload(_ dispatcher: Dispatcher, _ reception: Reception, _ log: HookLog) async {
        do {
            let config = try load()
            await dispatcher.configure(config)
            reception.configure(config)
            log.note("config.reloaded", [("routes", "\(config.routes.count)")])
        } catch let problem as ConfigProblem {
            for line in problem.lines { log.note("config.refused", [("mistake", line)]) }
        } catch {
            log.note("config.refused", [("mistake", "\(error)")])
        }
    }

    private static func carry(_ agent: TunnelAgent?, by front: TunnelFront?, _ orders: Orders) -> Task<Void, Never>? {
        guard let agent, let front else { return nil }
        return Task { orders.give(.tunnelEnded(await front.run(agent))) }
    }

    /// Programs that an earlier process left behind end before their runs begin again.
    private static func endSurvivors(in folder: String, _ log: HookLog) async throws {
        for name in ProcessLock.names(in: folder) {
            let path = folder + "/" + name
            let isGone = await withCheckedContinuation { continuation in
                let isStarted = BlockingThread.start { continuation.resume(returning: ProcessLock.clear(path)) }
                if !isStarted { continuation.resume(returning: false) }
            }
            if !isGone { log.note("survivor.remains", [("lock", name)]) }
        }
    }
}

/// What signals ask for, and what ends by itself.
struct Orders {
    enum Order: Sendable, Hashable {
        case reload, stop
        case tunnelEnded(AgentStop)
    }

    let stream: AsyncStream<Order>
    private let outbox: AsyncStream<Order>.Continuation

    init() throws {
        let (stream, outbox) = AsyncStream.makeStream(of: Order.self)
        self.stream = stream
        self.outbox = outbox
        try Signals.watch([.hangup, .interrupt, .terminate], on: try EventLoop()) { signal in
            switch signal {
            case .hangup: outbox.yield(.reload)
            case .interrupt, .terminate: outbox.yield(.stop)
            }
        }
    }

    func give(_ order: Order) { outbox.yield(order) }
}
