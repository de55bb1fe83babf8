import TunnelService

/// Tidies the store while the service runs.
enum Upkeep {
    static let intervalSeconds = 60

    /// Sweeps until the task is cancelled; a sweep that fails is noted and tried again.
    static func run(_ controlPlane: ControlPlane, log: ServiceLog) async {
        let sweep = SweepExpired(ports: controlPlane.ports, rules: controlPlane.rules)
        while !Task.isCancelled {
            do {
                let count = try await sweep()
                if count > 0 { log.note("tunnels.finalized", [("count", "\(count)")]) }
            } catch {
                log.note("sweep.failed", [("reason", "\(error)")], level: .warning)
            }
            try? await Task.sleep(for: .seconds(intervalSeconds))
        }
    }
}
