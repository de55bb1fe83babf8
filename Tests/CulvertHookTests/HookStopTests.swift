import Synchronization
import Testing

@testable import culvert_hook

@Suite(.timeLimit(.minutes(1)))
struct HookStopTests {
    private static let done = ActionOutcome(verdict: .success, detail: "done")

    /// Work that never ends by itself; it says when it was cancelled.
    private static func endless(_ ended: AsyncStream<Void>.Continuation) async -> ActionOutcome {
        while !Task.isCancelled { try? await Task.sleep(for: .seconds(3_600)) }
        ended.finish()
        return done
    }

    @Test func `work that ends by itself says what it came to`() async {
        let outcome = await HookStop().outcome(within: .seconds(3_600)) { Self.done }
        #expect(outcome.verdict == .success)
    }

    @Test(arguments: [(HookStop.Reason.cancelled, "cancelled"), (.shutdown, "stopped with the listener")])
    func `a stop ends the attempt at once and cancels its work`(reason: HookStop.Reason, words: String) async {
        let stop = HookStop()
        let (ended, end) = AsyncStream.makeStream(of: Void.self)
        let (begun, begin) = AsyncStream.makeStream(of: Void.self)
        async let outcome = stop.outcome(within: .seconds(3_600)) {
            begin.finish()
            return await Self.endless(end)
        }
        for await _ in begun {}
        stop.ask(reason)
        #expect(await outcome.detail == words)
        #expect(await outcome.verdict == .failure)
        for await _ in ended {}
    }

    @Test func `a stop that was asked for before is not forgotten, and the first reason stays`() async {
        let stop = HookStop()
        stop.ask(.cancelled)
        stop.ask(.shutdown)
        let (ended, end) = AsyncStream.makeStream(of: Void.self)
        let outcome = await stop.outcome(within: .seconds(3_600)) { await Self.endless(end) }
        #expect(outcome.detail == "cancelled")
        for await _ in ended {}
    }

    @Test func `the time limit ends the attempt and cancels its work`() async {
        let (ended, end) = AsyncStream.makeStream(of: Void.self)
        let outcome = await HookStop().outcome(within: .zero) { await Self.endless(end) }
        #expect((outcome.verdict, outcome.detail) == (.failure, "not done within 0 s"))
        for await _ in ended {}
    }
}
