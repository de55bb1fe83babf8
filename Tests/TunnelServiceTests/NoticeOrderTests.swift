import Synchronization
import TestSupport
import Testing
import TunnelDomain
import TunnelService

/// Changes are told in the order of their commits, however the tasks behind them are scheduled.
struct NoticeOrderTests {
    /// Yields a different number of times for each notice, so that unordered telling would show.
    private final class SlowEvents: TunnelEvents {
        private let heard = Mutex<[(TunnelID, TunnelStatus)]>([])
        var all: [(TunnelID, TunnelStatus)] { heard.withLock { $0 } }

        func tunnelChanged(_ tunnel: Tunnel, _ change: TunnelChange) async {
            for _ in 0..<(change == .deletePending ? 20 : 1) { await Task.yield() }
            heard.withLock { $0.append((tunnel.id, tunnel.storedState.status)) }
        }

        func keyEnded(_ id: UUIDValue) async {}
    }

    @Test(.timeLimit(.minutes(5))) func `the last thing that is heard is the last thing that was committed`() async throws {
        let events = SlowEvents()
        let harness = try await ServiceHarness(events: events)
        var ids: [TunnelID] = []
        for number in 0..<5 { ids.append(try await harness.create("agent-\(number)").snapshot.tunnel.id) }
        await withTaskGroup(of: Void.self) { group in
            for round in 0..<200 {
                let id = ids[round % ids.count]
                group.addTask {
                    // A change that is refused at the moment is none; the orders of the others still have to agree.
                    if round % 2 == 0 { try? await harness.delete(id) } else { try? await harness.restore(id) }
                }
            }
        }
        for id in ids {
            let stored = harness.store.contents.tunnels[id]?.storedState.status
            #expect(events.all.last { $0.0 == id }?.1 == stored)
        }
        let audited = harness.store.contents.audit.count { $0.entry.resourceType == .tunnel }
        #expect(events.all.count == audited)
    }

    @Test(.timeLimit(.minutes(5))) func `a commit that fails holds nobody up`() async throws {
        let harness = try await ServiceHarness()
        let id = try await harness.create("my-agent").snapshot.tunnel.id
        harness.store.failCommits(with: .full)
        await #expect(throws: StoreError.full) { try await harness.delete(id) }
        harness.store.failCommits(with: nil)
        try await harness.delete(id)
        #expect(harness.events.changes == [.created, .deletePending])
    }
}
