@testable import culvertd
import FileStorage
import Synchronization
import Testing
import TunnelAPI
import TunnelDomain

@Suite struct ServiceReadinessTests {
    private let folder = OperatorFolder()

    private func openStore() throws -> SQLiteStore {
        try SQLiteStore.open(in: DataDirectory.make(at: folder.path), creating: true)
    }

    @Test func `ready is who takes writes and listens`() async throws {
        let readiness = ServiceReadiness(store: try openStore())
        #expect(await readiness.check() == [ReadinessCheck("store"), ReadinessCheck("listeners", problem: "not open")])
        readiness.setListenersOpen(true)
        #expect(await readiness.check() == [ReadinessCheck("store"), ReadinessCheck("listeners")])
        readiness.setListenersOpen(false)
        #expect(await readiness.check().last?.problem == "not open")
    }

    @Test func `a store that takes no writes is told`() async throws {
        let store = try openStore()
        await store.close()
        let answer = await ServiceReadiness(store: store).check()
        #expect(answer.first?.problem?.contains("stopping") == true)
    }

    @Test func `many questions cost one write as long as a verdict holds`() async throws {
        let store = try openStore()
        let time = Mutex(MonotonicInstant(nanoseconds: 0))
        let readiness = ServiceReadiness(store: store) { time.withLock { $0 } }
        for _ in 0..<50 { _ = await readiness.check() }
        #expect(await store.commitCount == 1)
        let hold = Duration.seconds(ServiceReadiness.storeVerdictSecondsMax)
        time.withLock { $0 = $0 + hold - .nanoseconds(1) }
        _ = await readiness.check()
        #expect(await store.commitCount == 1)
        time.withLock { $0 = $0 + .nanoseconds(1) }
        _ = await readiness.check()
        #expect(await store.commitCount == 2)
    }
}
