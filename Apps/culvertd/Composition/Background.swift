import LinuxIO
import TunnelService

/// What works on the store without being asked: deliveries of webhooks, and upkeep.
final class Background: Sendable {
    private let webhooks: Webhooks
    private let upkeep: UpkeepTask

    init(_ controlPlane: ControlPlane, on loop: EventLoop, log: ServiceLog) throws {
        webhooks = try Webhooks(controlPlane, on: loop, log: log)
        upkeep = UpkeepTask { await Upkeep.run(controlPlane, log: log) }
    }

    func start() {
        webhooks.start()
        upkeep.start()
    }

    /// Begins no more sweeps.
    func stopUpkeep() { upkeep.cancel() }

    /// Begins nothing more, and returns when what is under way is done.
    func stop() async {
        await webhooks.stop()
        await upkeep.stop()
    }
}
