import FileStorage
import Foundation
import TestSupport
import Testing
import TunnelDomain

@Suite struct InboxTests {
    static let now = Timestamp(secondsSinceEpoch: 1_795_219_200)

    static func event(_ id: String?, route: String = "r", body: String = "{}", isWanted: Bool = true) -> InboxEvent {
        InboxEvent(
            route: route, deliveryID: id, receivedAt: now, method: "POST", target: "/in", address: "192.0.2.7", fields: "[]",
            body: Array(body.utf8), verdict: "{}", isWanted: isWanted)
    }

    @Test func `an accepted event is there after opening again, and a second delivery is the same event`() async throws {
        let folder = try TemporaryDirectory()
        let inbox = try Inbox.own(at: folder.path)
        guard
            case .accepted(let id, let run?) = try await inbox.accept(
                Self.event("d1", body: "\u{0}raw"), line: "k", expiresAt: nil)
        else { return #expect(Bool(false), "it was not accepted") }
        await inbox.close()
        let again = try Inbox.visit(at: folder.path)
        var expected = Self.event("d1", body: "\u{0}raw")
        expected.id = id
        #expect(try await again.event(id) == expected)
        #expect(try await again.openRuns() == [run])
        #expect(run.line == "key:k")
        #expect(try await again.accept(Self.event("d1"), line: nil, expiresAt: nil) == .duplicate(eventID: id))
        #expect(try await again.openRuns().count == 1)
        await again.close()
    }

    @Test func `the same id on another route is another event, and without an id every event is new`() async throws {
        let folder = try TemporaryDirectory()
        let inbox = try Inbox.own(at: folder.path)
        for event in [Self.event("d1"), Self.event("d1", route: "s"), Self.event(nil), Self.event(nil)] {
            guard case .accepted = try await inbox.accept(event, line: nil, expiresAt: nil) else {
                return #expect(Bool(false), "it was not accepted")
            }
        }
        #expect(try await inbox.backlog() == InboxBacklog(eventCount: 4, byteCount: 8))
        await inbox.close()
    }

    @Test func `a signed message is taken once until it could not be replayed any more`() async throws {
        let folder = try TemporaryDirectory()
        let inbox = try Inbox.own(at: folder.path)
        let end = Self.now + .seconds(300)
        func offer(_ id: String, at moment: Timestamp) async throws -> InboxAnswer {
            var event = Self.event(id)
            event.receivedAt = moment
            return try await inbox.accept(event, line: nil, expiresAt: nil, digest: ([7], end))
        }
        guard case .accepted = try await offer("a", at: Self.now) else { return #expect(Bool(false)) }
        #expect(try await offer("b", at: Self.now) == .replayed)
        #expect(try await offer("c", at: end) == .replayed)
        guard case .duplicate = try await offer("a", at: end) else { return #expect(Bool(false)) }
        guard case .accepted = try await offer("d", at: end + .microseconds(1)) else { return #expect(Bool(false)) }
        await inbox.close()
    }

    @Test func `an event that the filter did not want is history without a run`() async throws {
        let folder = try TemporaryDirectory()
        let inbox = try Inbox.own(at: folder.path)
        #expect(
            try await inbox.accept(Self.event("a", isWanted: false), line: nil, expiresAt: nil)
                == .accepted(eventID: 1, run: nil))
        #expect(try await inbox.backlog().eventCount == 0)
        #expect(try await inbox.events(countMax: 9).count == 1)
        await inbox.close()
    }

    @Test func `why a filter could not decide is remembered`() async throws {
        let folder = try TemporaryDirectory()
        let inbox = try Inbox.own(at: folder.path)
        var event = Self.event("a", isWanted: false)
        event.filterNote = "too many steps"
        _ = try await inbox.accept(event, line: nil, expiresAt: nil)
        _ = try await inbox.accept(Self.event("b", isWanted: false), line: nil, expiresAt: nil)
        #expect(try await inbox.event(1)?.filterNote == "too many steps")
        #expect(try await inbox.events(countMax: 9).map(\.filterNote) == [nil, "too many steps"])
        await inbox.close()
    }

    @Test func `states go to the disk and back, with attempts and output`() async throws {
        let folder = try TemporaryDirectory()
        let inbox = try Inbox.own(at: folder.path)
        _ = try await inbox.accept(Self.event("a"), line: nil, expiresAt: Self.now + .seconds(60))
        let (start, running) = try #require(
            try await inbox.change(run: 1) { run throws(RunRefusal) in try run.start(at: Self.now) })
        #expect(start == .begin(attempt: 1))
        #expect(running.run.state == .running(since: Self.now))
        let attempt = InboxAttempt(
            runID: 1, number: 1, startedAt: Self.now, endedAt: Self.now + .seconds(1), hasSucceeded: false, detail: "exit 3")
        _ = try await inbox.change(run: 1, attempt: attempt, output: Array("boom".utf8)) { run throws(RunRefusal) in
            try run.fail(isFinal: true, next: nil, at: Self.now + .seconds(1))
        }
        let stored = try #require(try await inbox.run(1))
        #expect(stored.run.state == .dead(since: Self.now + .seconds(1), .refused))
        #expect(stored.detail == "exit 3")
        #expect(stored.output == Array("boom".utf8))
        #expect(try await inbox.attempts(of: 1) == [attempt])
        #expect(try await inbox.backlog().eventCount == 1)
        await #expect(throws: RunRefusal.notWaiting) {
            try await inbox.change(run: 1) { run throws(RunRefusal) in try run.start(at: Self.now) }
        }
        #expect(try await inbox.runCounts() == ["dead": 1])
        await inbox.close()
    }

    @Test func `what a person asks for is done once, or refused with the reason`() async throws {
        let folder = try TemporaryDirectory()
        let inbox = try Inbox.own(at: folder.path)
        _ = try await inbox.accept(Self.event("a"), line: "k", expiresAt: nil)
        #expect(try await inbox.fulfil(InboxWish(.retry, 1), at: Self.now) == .refused(.notDead))
        guard case .done(let cancelled) = try await inbox.fulfil(InboxWish(.cancel, 1), at: Self.now) else {
            return #expect(Bool(false))
        }
        #expect(cancelled.run.state == .cancelled(at: Self.now))
        #expect(try await inbox.fulfil(InboxWish(.cancel, 1), at: Self.now) == .refused(.ended))
        #expect(try await inbox.fulfil(InboxWish(.drop, 9), at: Self.now) == .notFound)
        guard case .done(let rerun) = try await inbox.fulfil(InboxWish(.rerun, 1), at: Self.now) else {
            return #expect(Bool(false))
        }
        #expect(rerun.id == 2)
        #expect(rerun.line == "key:k")
        guard case .done(let replayed) = try await inbox.fulfil(InboxWish(.replay, 1), at: Self.now) else {
            return #expect(Bool(false))
        }
        #expect(replayed.eventID == 1)
        #expect(replayed.line == "key:k", "beside the first run of its event it would break the order of its key")
        await inbox.close()
    }

    @Test func `a wish of another process reaches the owner, and its answer the other process`() async throws {
        let folder = try TemporaryDirectory()
        let owner = try Inbox.own(at: folder.path)
        let visitor = try Inbox.visit(at: folder.path)
        let number = try await visitor.leave(InboxWish(.cancel, 7))
        let open = try await owner.openWishes()
        #expect(open.map(\.id) == [number])
        #expect(open.map(\.wish) == [InboxWish(.cancel, 7)])
        #expect(try await visitor.answer(toWish: number) == nil)
        #expect(try await owner.fulfil(wish: number, open[0].wish, at: Self.now) { "\($0)" } == .notFound)
        #expect(try await visitor.answer(toWish: number) == "notFound")
        #expect(try await owner.openWishes().isEmpty)
        #expect(throws: DataDirectoryError.self) { try Inbox.own(at: folder.path) }
        await visitor.close()
        await owner.close()
    }

    @Test func `a wish and its answer are one commit, and it is done once`() async throws {
        let folder = try TemporaryDirectory()
        let owner = try Inbox.own(at: folder.path)
        _ = try await owner.accept(Self.event("a"), line: nil, expiresAt: nil)
        let wish = InboxWish(.rerun, 1)
        let number = try await owner.leave(wish)
        let before = await owner.commitCount
        let outcome = try await owner.fulfil(wish: number, wish, at: Self.now) { _ in "done" }
        guard case .done(let run)? = outcome else { return #expect(Bool(false), "\(String(describing: outcome))") }
        #expect(run.id == 2)
        #expect(await owner.commitCount == before + 1)
        #expect(try await owner.fulfil(wish: number, wish, at: Self.now) { _ in "again" } == nil)
        #expect(try await owner.answer(toWish: number) == "done")
        #expect(try await owner.openRuns().count == 2)
        await owner.close()
    }

    @Test func `an attempt of a run that a person ended is history, and the run stays ended`() async throws {
        let folder = try TemporaryDirectory()
        let inbox = try Inbox.own(at: folder.path)
        _ = try await inbox.accept(Self.event("a"), line: nil, expiresAt: nil)
        _ = try await inbox.change(run: 1) { run throws(RunRefusal) in try run.start(at: Self.now) }
        _ = try await inbox.fulfil(InboxWish(.cancel, 1), at: Self.now)
        let attempt = InboxAttempt(
            runID: 1, number: 1, startedAt: Self.now, endedAt: Self.now, hasSucceeded: false, detail: "cancelled")
        try await inbox.note(attempt, output: [7])
        let stored = try #require(try await inbox.run(1))
        #expect(stored.run.state == .cancelled(at: Self.now))
        #expect((stored.detail, stored.output) == ("cancelled", [7]))
        #expect(try await inbox.attempts(of: 1) == [attempt])
        await inbox.close()
    }

    @Test func `what was under way when the process died is due again, the last attempt is dead`() async throws {
        let folder = try TemporaryDirectory()
        let inbox = try Inbox.own(at: folder.path)
        for (id, route) in [("a", "many"), ("b", "one"), ("c", "many")] {
            _ = try await inbox.accept(Self.event(id, route: route), line: nil, expiresAt: nil)
        }
        for id in 1...2 {
            _ = try await inbox.change(run: Int64(id)) { run throws(RunRefusal) in try run.start(at: Self.now) }
        }
        #expect(try await inbox.interruptRuns(at: Self.now) { $0 == "many" ? 5 : 1 } == 2)
        #expect(try await inbox.run(1)?.run.state == .waiting(until: Self.now))
        #expect(try await inbox.run(2)?.run.state == .dead(since: Self.now, .attemptsSpent))
        #expect(try await inbox.openRuns().map(\.id) == [1, 3])
        #expect(try await inbox.attempts(of: 1).count == 1)
        await inbox.close()
    }

    @Test func `what is done is forgotten in time, what is not and the dead letter are kept`() async throws {
        let folder = try TemporaryDirectory()
        let inbox = try Inbox.own(at: folder.path)
        for id in ["waits", "dead", "done", "late"] {
            _ = try await inbox.accept(Self.event(id), line: nil, expiresAt: nil, digest: (Array(id.utf8), Self.now))
        }
        for id in Int64(2)...4 {
            _ = try await inbox.change(run: id) { run throws(RunRefusal) in
                _ = try run.start(at: Self.now)
                if id == 2 { try run.fail(isFinal: true, next: nil, at: Self.now) }
                if id == 3 { try run.succeed(at: Self.now) }
                if id == 4 { try run.succeed(at: Self.now + .seconds(10)) }
            }
        }
        let edge = Self.now + .seconds(10)
        #expect(try await inbox.forget(doneBefore: edge, now: edge, countMax: 10) == 1)
        #expect(try await inbox.events(countMax: 9).compactMap(\.deliveryID).sorted() == ["dead", "late", "waits"])
        await inbox.close()
    }

    @Test func `events that come together share commits`() async throws {
        let folder = try TemporaryDirectory()
        let inbox = try Inbox.own(at: folder.path)
        let before = await inbox.commitCount
        await withTaskGroup(of: Void.self) { group in
            for index in 0..<200 {
                group.addTask { _ = try? await inbox.accept(Self.event("\(index)"), line: nil, expiresAt: nil) }
            }
        }
        #expect(try await inbox.backlog().eventCount == 200)
        #expect(await inbox.commitCount - before < 200)
        await inbox.close()
    }
}
