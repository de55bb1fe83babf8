import HTTPTransport
import LinuxIO
import TLS
import Synchronization
import TunnelDomain
import TunnelService
import TunnelWire

/// Makes actions from their configuration.
final class ActionFactory: Sendable {
    private let lockFolder: String
    private let clock: any WallClock
    private let loop: EventLoop
    private struct Program {
        var config: String
        weak var action: RPCAction?
    }

    /// Programs that are kept running, by route: a reload keeps those whose configuration is the same. One that no route has
    /// any more is let go of, and ends.
    private let programs = Mutex<[String: Program]>([:])

    init(lockFolder: String, clock: any WallClock, loop: EventLoop) {
        self.lockFolder = lockFolder
        self.clock = clock
        self.loop = loop
    }

    func make(_ route: RouteConfig) -> any HookAction {
        switch route.action {
        case .exec(let config): return ExecAction(config: config, timeout: route.timeout)
        case .culvert(let config): return ControlAction(config: config, timeout: route.timeout)
        case .rpc(let config): return program(config, route)
        case .socket(let config): return SocketAction(config: config, timeout: route.timeout, loop: loop)
        case .http(let config):
            do {
                let client = try HTTPClient(
                    eventLoop: loop, trust: config.url.isTLS ? (config.caFile.map { .file($0) } ?? .system) : nil)
                return ForwardAction(config: config, timeout: route.timeout, client: client, clock: clock)
            } catch {
                return BrokenAction(why: "\(error)")
            }
        }
    }

    private func program(_ config: RPCConfig, _ route: RouteConfig) -> RPCAction {
        let description = "\(config) \(route.timeout)"
        return programs.withLock { programs in
            if let kept = programs[route.name], kept.config == description, let action = kept.action { return action }
            let action = RPCAction(config: config, timeout: route.timeout, lockPath: "\(lockFolder)/rpc-\(route.name)")
            programs[route.name] = Program(config: description, action: action)
            return action
        }
    }
}

/// An action whose means are missing for now.
struct BrokenAction: HookAction {
    let why: String

    func perform(_ job: HookJob, stop: HookStop) async -> ActionOutcome { ActionOutcome(verdict: .failure, detail: why) }
}
