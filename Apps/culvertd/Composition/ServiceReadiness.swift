import FileStorage
import Synchronization
import SystemClock
import TunnelAPI
import TunnelDomain
import TunnelService

/// What `/readyz` asks: does the store take writes, and are the listeners open?
final class ServiceReadiness: Readiness {
    /// A verdict on the store holds for this long, because strangers may ask and each question costs a disk write.
    static let storeVerdictSecondsMax = 2

    private struct Verdict {
        var problem: String?
        var moment: MonotonicInstant
    }

    private let store: SQLiteStore
    private let listenersOpen = Mutex(false)
    private let verdict = Mutex<Verdict?>(nil)

    private let now: @Sendable () -> MonotonicInstant

    init(store: SQLiteStore, now: @escaping @Sendable () -> MonotonicInstant = { SystemMonotonicClock().now }) {
        self.store = store
        self.now = now
    }

    /// Says that the listeners are open now, or no more.
    func setListenersOpen(_ isOpen: Bool) { listenersOpen.withLock { $0 = isOpen } }

    func check() async -> [ReadinessCheck] {
        let isListening = listenersOpen.withLock { $0 }
        return [
            ReadinessCheck("store", problem: await storeProblem()),
            ReadinessCheck("listeners", problem: isListening ? nil : "not open"),
        ]
    }

    private func storeProblem() async -> String? {
        let now = now()
        let kept = verdict.withLock { $0 }
        if let kept, now - kept.moment < .seconds(Self.storeVerdictSecondsMax) { return kept.problem }
        let problem = await newStoreProblem()
        verdict.withLock { $0 = Verdict(problem: problem, moment: now) }
        return problem
    }

    private func newStoreProblem() async -> String? {
        do {
            // A real change: only that shows a full disk.
            try await store.setFact(.lastReadinessCheck, to: "ok")
            return nil
        } catch let error as StoreError {
            return error.explanation
        } catch {
            return "the store cannot be written"
        }
    }
}
