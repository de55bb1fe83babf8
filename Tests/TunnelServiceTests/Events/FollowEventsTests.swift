import Synchronization
import TestSupport
import Testing
import TunnelDomain
import TunnelService

struct FollowEventsTests {
    private typealias News = EventSubscription.News
    private static let silent: EventBell.Pause = { _ in }
    private static let always: @Sendable () async throws -> Bool = { true }

    private func follow(
        _ harness: ServiceHarness, from start: FollowEvents.Start = .now, _ patterns: [String] = ["*"],
        limits: EventLimits = EventLimits()
    ) async throws -> EventSubscription {
        try await FollowEvents(ports: harness.ports, limits: limits)(
            from: start, try EventFilter(patterns), by: harness.admin, pause: Self.silent)
    }

    private func types(_ news: News?) -> [EventType]? {
        if case .events(let events) = news { events.map(\.type) } else { nil }
    }

    @Test func `what is committed after the beginning is told, in order, and then there is silence`() async throws {
        let harness = try await ServiceHarness()
        _ = try await harness.create("before")
        let subscription = try await follow(harness)
        let tunnel = try await harness.create("my-agent").snapshot.tunnel
        try await harness.delete(tunnel.id)
        let news = try await subscription.next(whileAllowed: Self.always)
        #expect(types(news) == [.tunnelCreated, .tunnelDeletePending])
        guard case .events(let events) = news else { return }
        #expect(events.map(\.tunnelID) == [tunnel.id, tunnel.id])
        #expect(events[0].sequence < events[1].sequence)
        #expect(try await subscription.next(whileAllowed: Self.always) == .silence(at: events[1].sequence))
    }

    @Test func `somebody who comes back gets everything behind the place, once`() async throws {
        let harness = try await ServiceHarness()
        for number in 0..<250 { _ = try await harness.rotateNothing(number) }
        let all = harness.store.contents.events.map(\.sequence)
        let subscription = try await follow(harness, from: .after(all[9]))
        var got: [Int64] = []
        while case .events(let events)? = try await subscription.next(whileAllowed: Self.always) {
            #expect(events.count <= EventLimits.batchCountMax)
            got += events.map(\.sequence)
        }
        #expect(got == Array(all[10...]))
    }

    @Test func `a listener is told its place at once, before anything has happened`() async throws {
        let harness = try await ServiceHarness()
        _ = try await harness.create("before")
        let last = try #require(harness.store.contents.events.last?.sequence)
        let patience: EventBell.Pause = { _ in try await Task.sleep(for: .seconds(3_600)) }
        let follow = FollowEvents(ports: harness.ports, limits: EventLimits())
        let now = try await follow(from: .now, .everything, by: harness.admin, pause: patience)
        #expect(try await now.next(whileAllowed: Self.always) == .silence(at: last))
        let later = try await follow(from: .after(0), .everything, by: harness.admin, pause: patience)
        #expect(types(try await later.next(whileAllowed: Self.always)) == [.tunnelCreated])
        #expect(try await later.next(whileAllowed: Self.always) == .silence(at: last))
    }

    @Test func `another organization's events are none`() async throws {
        let harness = try await ServiceHarness()
        _ = try await harness.create("my-agent")
        let stranger = CallContext(
            principal: harness.foreign.keyRecord.principal, actor: harness.foreign.keyRecord.actor, ip: "192.0.2.8",
            requestID: "req-2")
        let subscription = try await FollowEvents(ports: harness.ports, limits: EventLimits())(
            from: .after(0), .everything, by: stranger, pause: Self.silent)
        #expect(try await subscription.next(whileAllowed: Self.always) == .silence(at: 0))
    }

    @Test func `unwanted types are passed over, and the place moves on`() async throws {
        let harness = try await ServiceHarness()
        let subscription = try await follow(harness, ["secret.*", "tunnel.deleted"])
        let tunnel = try await harness.create("my-agent").snapshot.tunnel
        let last = try #require(harness.store.contents.events.last?.sequence)
        #expect(try await subscription.next(whileAllowed: Self.always) == .silence(at: last))
        _ = try await harness.rotate(tunnel.id)
        try await harness.delete(tunnel.id)
        #expect(types(try await subscription.next(whileAllowed: Self.always)) == [.secretRotated])
    }

    @Test func `an identity's key may not follow`() async throws {
        let harness = try await ServiceHarness()
        let agent = CallContext(
            principal: Principal(
                organizationID: harness.home.organization.id, kind: .identityKey(IdentityID(UUIDValue(high: 1, low: 1)))),
            actor: .system, ip: "192.0.2.8", requestID: "req-2")
        await #expect(throws: Refusal.forbidden(.readEvents)) {
            _ = try await FollowEvents(ports: harness.ports, limits: EventLimits())(from: .now, .everything, by: agent)
        }
    }

    // MARK: Gaps

    @Test func `a place that the log has passed over is told first, and then what is left`() async throws {
        let harness = try await ServiceHarness()
        for number in 0..<5 { _ = try await harness.rotateNothing(number) }
        let all = harness.store.contents.events.map(\.sequence)
        try await harness.ports.store.write { try $0.forgetEvents(of: harness.home.organization.id, upTo: all[2]) }
        let late = try await follow(harness, from: .after(all[0]))
        #expect(
            try await late.next(whileAllowed: Self.always) == .gap(.forgotten(after: all[0]), resumesAfter: all[2]))
        #expect(types(try await late.next(whileAllowed: Self.always))?.count == 2)
        // Exactly at the bound nothing is missing.
        let punctual = try await follow(harness, from: .after(all[2]))
        #expect(types(try await punctual.next(whileAllowed: Self.always))?.count == 2)
    }

    @Test func `an id that the log never gave is told, and it goes on with what happens next`() async throws {
        let harness = try await ServiceHarness()
        _ = try await harness.create("my-agent")
        let last = try #require(harness.store.contents.events.last?.sequence)
        let subscription = try await follow(harness, from: .after(last + 1))
        #expect(try await subscription.next(whileAllowed: Self.always) == .gap(.unknown(last + 1), resumesAfter: last))
        _ = try await harness.create("other")
        #expect(types(try await subscription.next(whileAllowed: Self.always)) == [.tunnelCreated])
    }

    @Test func `a listener that falls behind the log's bounds is told so on its stream`() async throws {
        let harness = try await ServiceHarness()
        let subscription = try await follow(harness)
        for number in 0..<3 { _ = try await harness.rotateNothing(number) }
        let all = harness.store.contents.events.map(\.sequence)
        try await harness.ports.store.write { try $0.forgetEvents(of: harness.home.organization.id, upTo: all[1]) }
        let news = try await subscription.next(whileAllowed: Self.always)
        guard case .gap(.forgotten, let place) = news else { return #expect(Bool(false), "\(String(describing: news))") }
        #expect(place == all[1])
        #expect(types(try await subscription.next(whileAllowed: Self.always))?.count == 1)
    }

    // MARK: Ends

    @Test func `without permission nothing is given, not even what was read already`() async throws {
        let harness = try await ServiceHarness()
        let subscription = try await follow(harness)
        _ = try await harness.create("my-agent")
        #expect(try await subscription.next(whileAllowed: { false }) == nil)
        #expect(try await follow(harness).next(whileAllowed: { false }) == nil, "silence ends it too")
    }

    @Test func `a key that ends rings its listener`() async throws {
        let harness = try await ServiceHarness()
        let asked = Mutex(0)
        let subscription = try await FollowEvents(ports: harness.ports, limits: EventLimits())(
            from: .now, .everything, by: harness.admin, pause: { _ in try await Task.sleep(for: .seconds(3_600)) })
        let isAllowed: @Sendable () async throws -> Bool = {
            asked.withLock { count in
                count += 1
                return count == 1
            }
        }
        #expect(try await subscription.next(whileAllowed: isAllowed) == .silence(at: 0))
        async let news = subscription.next(whileAllowed: isAllowed)
        try await harness.ports.commit { _, _ in Change((), notices: [.keyEnded(harness.home.keyRecord.id)]) }
        #expect(try await news == nil)
        #expect(asked.withLock { $0 } == 2)
    }

    @Test func `the listener's own end and the service's end the wait`() async throws {
        let harness = try await ServiceHarness()
        let subscription = try await follow(harness)
        subscription.cancel()
        #expect(try await subscription.next(whileAllowed: Self.always) == nil)
        let other = try await follow(harness)
        harness.ports.feed.close()
        #expect(try await other.next(whileAllowed: Self.always) == nil)
    }

    @Test func `a stream more than may be is refused, and one that is let go of makes room`() async throws {
        let harness = try await ServiceHarness()
        var limits = EventLimits()
        limits.streamsPerOrganizationMax = 2
        var streams = [try await follow(harness, limits: limits), try await follow(harness, limits: limits)]
        await #expect(throws: Refusal.tooManyStreams(2)) { _ = try await follow(harness, limits: limits) }
        streams.removeLast()
        streams.append(try await follow(harness, limits: limits))
        #expect(harness.ports.feed.listenerCount == 2)
    }
}

extension ServiceHarness {
    /// Commits one event that nothing stands behind.
    fileprivate func rotateNothing(_ number: Int) async throws {
        try await ports.commit { _, _ in
            Change(
                (), events: [EventDraft(.secretRotated, organizationID: home.organization.id, data: [.init("n", "\(number)")])])
        }
    }
}
