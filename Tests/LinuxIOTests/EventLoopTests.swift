import LinuxIO
import Synchronization
import Testing
import TunnelDomain

/// Numbers that several threads write down.
private final class Notes: Sendable {
    private let numbers = Mutex<[Int]>([])
    func add(_ number: Int) { numbers.withLock { $0.append(number) } }
    var all: [Int] { numbers.withLock { $0 } }
}

@Suite(.timeLimit(.minutes(5)))
struct EventLoopTests {
    @Test func `jobs run in the order of the calls`() async throws {
        let door = try EventLoop()
        defer { door.stop() }
        let notes = Notes()
        for number in 0..<2_000 { door.execute { _ in notes.add(number) } }
        try await door.run { _ in }
        #expect(notes.all == Array(0..<2_000))
    }

    @Test func `a job that is handed in from the loop itself runs after those that wait`() async throws {
        let door = try EventLoop()
        defer { door.stop() }
        let notes = Notes()
        try await door.run { loop in
            loop.door.execute { _ in notes.add(2) }
            notes.add(1)
        }
        try await door.run { _ in }
        #expect(notes.all == [1, 2])
    }

    @Test func `a loop that is turned by hand goes by the time that it is told`() throws {
        let (door, loop) = try EventLoop.turnedByHand(at: MonotonicInstant(nanoseconds: 5))
        #expect(loop.now == MonotonicInstant(nanoseconds: 5))
        let notes = Notes()
        loop.schedule(after: .nanoseconds(10)) { notes.add(2) }
        door.execute { _ in notes.add(1) }
        #expect(loop.turn(at: MonotonicInstant(nanoseconds: 14)))
        #expect(notes.all == [1])
        #expect(!loop.turn(at: MonotonicInstant(nanoseconds: 14)))
        #expect(loop.turn(at: MonotonicInstant(nanoseconds: 15)))
        #expect(notes.all == [1, 2])
    }

    @Test func `run returns the result and throws the error of the work`() async throws {
        struct Broken: Error {}
        let door = try EventLoop(index: 3)
        defer { door.stop() }
        #expect(try await door.run { $0.door.index } == 3)
        await #expect(throws: Broken.self) { try await door.run { _ in throw Broken() } }
        #expect(try await door.run { _ in "still here" } == "still here")
    }

    @Test func `jobs before a stop are done, and those after it are dropped`() async throws {
        /// Lives as long as its job does.
        final class Trace: Sendable {
            let notes: Notes
            init(_ notes: Notes) { self.notes = notes }
            deinit { notes.add(99) }
        }
        let door = try EventLoop()
        let (ended, end) = AsyncStream.makeStream(of: Void.self)
        let notes = Notes()
        try await door.run { loop in
            final class Farewell {
                let end: AsyncStream<Void>.Continuation
                init(_ end: AsyncStream<Void>.Continuation) { self.end = end }
                deinit { end.finish() }
            }
            // The thread's own state goes last, when the thread does.
            loop.resident = Farewell(end)
        }
        for number in 0..<50 { door.execute { _ in notes.add(number) } }
        door.stop()
        for await _ in ended {}
        #expect(notes.all == Array(0..<50))
        var late: Trace? = Trace(notes)
        door.execute { [late] _ in late?.notes.add(-1) }
        late = nil
        #expect(notes.all == Array(0..<50) + [99])
    }

    @Test func `work for a loop that has ended is an error, and not a wait without end`() async throws {
        let door = try EventLoop()
        // Handed in from the loop itself, so that it comes surely after the stop.
        try await door.run { $0.door.stop() }
        await #expect(throws: IOError.self) {
            for _ in 0..<1_000 { try await door.run { _ in } }
        }
        await #expect(throws: IOError.self) { try await door.run { _ in } }
    }

    @Test func `timers fire in order and not before their time`() async throws {
        let door = try EventLoop()
        defer { door.stop() }
        let notes = Notes()
        let early: Bool = await withCheckedContinuation { continuation in
            door.execute { loop in
                let begun = loop.now
                let milliseconds = [30, 10, 20, 0]
                for delay in milliseconds { loop.schedule(after: .milliseconds(delay)) { notes.add(delay) } }
                let cancelled = loop.schedule(after: .milliseconds(15)) { notes.add(-1) }
                loop.cancel(cancelled)
                loop.schedule(after: .milliseconds(31)) {
                    continuation.resume(returning: loop.now < begun + .milliseconds(31))
                }
            }
        }
        #expect(!early)
        #expect(notes.all == [0, 10, 20, 30])
    }

    @Test func `the end of a turn comes after its events, and what waits for the next turn comes with that`() async throws {
        final class Ender: TurnEndHandler {
            let notes: Notes
            let number: Int
            init(_ notes: Notes, _ number: Int) { (self.notes, self.number) = (notes, number) }
            func turnEnded() { notes.add(number) }
        }
        let door = try EventLoop()
        defer { door.stop() }
        let notes = Notes()
        await withCheckedContinuation { continuation in
            door.execute { loop in
                loop.atNextTurnEnd(Ender(notes, 4))
                loop.atTurnEnd(Ender(notes, 2))
                loop.afterTurn {
                    notes.add(3)
                    loop.schedule(after: .milliseconds(1)) { continuation.resume() }
                }
                notes.add(1)
            }
        }
        #expect(notes.all == [1, 2, 3, 4])
    }
}
