import Synchronization
import TunnelService

/// Tidies the store while the service runs.
enum Upkeep {
    static let intervalSeconds = 60

    /// Sweeps until the task is cancelled; a sweep that fails is noted and tried again.
    static func run(_ controlPlane: ControlPlane, log: ServiceLog) async {
        let ports = controlPlane.ports
        let sweep = SweepExpired(ports: ports, rules: controlPlane.rules)
        let announceExpiry = AnnounceExpiry(ports: ports)
        let forgetDeliveries = ForgetDeliveries(ports: ports, limits: controlPlane.rules.webhooks)
        let forgetEvents = ForgetEvents(ports: ports, limits: controlPlane.rules.events)
        while !Task.isCancelled {
            do {
                let count = try await sweep()
                if count > 0 { log.note("tunnels.finalized", [("count", "\(count)")]) }
                try await announceExpiry()
                try await forgetEvents()
                let outcome = try await forgetDeliveries()
                if outcome.givenUp > 0 {
                    log.note("webhook.backlog", [("given_up", "\(outcome.givenUp)")], level: .warning)
                }
            } catch {
                log.note("sweep.failed", [("reason", "\(error)")], level: .warning)
            }
            try? await Task.sleep(for: .seconds(intervalSeconds))
        }
    }
}

/// Upkeep as something that is started and stopped.
final class UpkeepTask: Sendable {
    private let work: @Sendable () async -> Void
    private let task = Mutex<Task<Void, Never>?>(nil)

    init(_ work: @escaping @Sendable () async -> Void) { self.work = work }

    func start() { task.withLock { $0 = Task(operation: work) } }
    func cancel() { task.withLock { $0 }?.cancel() }

    /// Returns when the sweep that is under way is done.
    func stop() async {
        cancel()
        await task.withLock { $0 }?.value
    }
}
