import FileStorage
import Synchronization
import TLS
import TunnelAPI
import TunnelDomain
import TunnelEdge
import TunnelService
import TunnelWire

/// What `/metrics` tells beside the API's own figures: asks each part when somebody scrapes, and keeps nothing itself.
final class ServiceMetrics: MetricsSource {
    /// More deliveries than these are not counted one by one.
    static let pendingDeliveriesMax = 100_000

    private let store: SQLiteStore
    private let authority: CertificateAuthority
    private let startSeconds: Double
    private let edge = Mutex<Edge?>(nil)
    private let attempts = Mutex<[AttemptOutcome: Int]>([:])

    init(store: SQLiteStore, authority: CertificateAuthority, startedAt start: Timestamp) {
        self.store = store
        self.authority = authority
        startSeconds = Double(start.microsecondsSinceEpoch) / 1e6
    }

    /// The edge comes last, because it serves the API.
    func serve(_ edge: Edge) { self.edge.withLock { $0 = edge } }

    enum AttemptOutcome: String, CaseIterable {
        case delivered, retried, exhausted

        init(_ state: WebhookDelivery.State) {
            self =
                switch state {
                case .pending: .retried
                case .delivered: .delivered
                case .exhausted: .exhausted
                }
        }
    }

    func attempted(_ delivery: WebhookDelivery) {
        let outcome = AttemptOutcome(delivery.state)
        attempts.withLock { $0[outcome, default: 0] += 1 }
    }

    func add(to page: inout MetricPage) async {
        await edge.withLock { $0 }?.addMetrics(to: &page)
        let store = await store.figures
        page.add(.commits, "done", count: store.commitCount)
        page.add(.commits, "failed", count: store.failedCommitCount)
        page.add(.commitSeconds, histogram: store.commitTimes)
        page.add(.certificates, "csr", count: authority.counts.requests)
        page.add(.certificates, "host", count: authority.counts.hosts)
        let attempts = attempts.withLock { $0 }
        for outcome in AttemptOutcome.allCases { page.add(.deliveries, outcome.rawValue, count: attempts[outcome] ?? 0) }
        // A store that fails shows elsewhere; the rest of the page is still worth having.
        let pending = try? await self.store.read { try $0.pendingDeliveryCount(max: Self.pendingDeliveriesMax) }
        if let pending { page.add(.pendingDeliveries, count: pending) }
        ProcessFigures.add(to: &page, startedAt: startSeconds)
    }
}
