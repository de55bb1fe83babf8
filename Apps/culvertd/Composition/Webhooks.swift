import LinuxIO
import TLS
import TunnelEdge
import TunnelService

/// The deliveries of webhooks, while the service runs.
struct Webhooks {
    private let deliver: DeliverWebhooks

    init(_ controlPlane: ControlPlane, on loop: EventLoop, log: ServiceLog) throws {
        let limits = controlPlane.rules.webhooks
        let caller = try WebhookCaller(
            eventLoop: loop, policy: limits.addressPolicy, timeoutSeconds: limits.attemptSecondsMax)
        deliver = DeliverWebhooks(
            ports: controlPlane.ports, limits: limits, cryptography: OpenSSLWebhookCryptography(), transport: caller,
            note: { [metrics = controlPlane.metrics] in metrics.attempted($0) },
            noteFault: { log.note("webhook.failed", [("reason", "\($0)")], level: .error) })
    }

    func start() {
        Task { [deliver] in await deliver.run() }
    }

    /// Waits for what is under way: whatever is not recorded would be delivered again.
    func stop() async { await deliver.stop() }
}
