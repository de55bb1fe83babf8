import FileStorage
import Foundation
import Synchronization
import Testing
import TunnelDomain
import TunnelService

@testable import culvert_hook

struct DispatcherTests {
    /// Shows given times one after the other, and the last one from then on.
    private final class SteppingClock: WallClock {
        private let times: Mutex<[Timestamp]>

        init(_ times: [Timestamp]) { self.times = Mutex(times) }

        var now: Timestamp { times.withLock { $0.count > 1 ? $0.removeFirst() : $0[0] } }
    }

    private struct Telling: HookAction {
        let begun: AsyncStream<Int64>.Continuation

        func perform(_ job: HookJob, stop: HookStop) async -> ActionOutcome {
            begun.yield(job.runID)
            return ActionOutcome(verdict: .success, detail: "done")
        }
    }

    @Test(.timeLimit(.minutes(5)))
    func `a clock that is set back while a run begins puts it off and loses nothing`() async throws {
        let due = Timestamp(secondsSinceEpoch: 1_795_219_200)
        let (late, early) = (due + .seconds(1), due - .seconds(1))
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let inbox = try Inbox.own(at: folder)
        let event = InboxEvent(
            route: "a", deliveryID: nil, receivedAt: due, method: "POST", target: "/a", address: "192.0.2.7", fields: "[]",
            body: [], verdict: "{}", isWanted: true)
        _ = try await inbox.accept(event, line: nil, expiresAt: nil)
        let config = try HookConfig.parse(
            Array(ConfigTests.file(route: ConfigTests.good).utf8), path: "/f", environment: [:])
        // What was interrupted, the schedule before and after it is filled, and then the beginning.
        let clock = SteppingClock([late, late, late, early, late])
        let (runs, begun) = AsyncStream.makeStream(of: Int64.self)
        let dispatcher = Dispatcher(
            inbox: inbox, clock: clock, log: HookLog(clock: SteppingClock([late])), metrics: HookMetrics(), lockFolder: folder,
            limits: InboxLimits()
        ) { _ in Telling(begun: begun) }
        try await dispatcher.recover(config)
        for await run in runs {
            #expect(run == 1)
            break
        }
        await dispatcher.stop(within: .seconds(60))
        #expect(try await inbox.runCounts() == ["succeeded": 1])
        await inbox.close()
    }
}
