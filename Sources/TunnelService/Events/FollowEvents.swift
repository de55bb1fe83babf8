internal import TunnelDomain

/// Lets a caller follow its organization's events from a place in the log.
package struct FollowEvents: Sendable {
    /// Where to begin.
    package enum Start: Sendable, Hashable {
        /// With the next event that happens.
        case now
        /// Behind the event with this number, which the caller has seen.
        case after(Int64)
    }

    private let ports: ServicePorts
    private let limits: EventLimits

    package init(ports: ServicePorts, limits: EventLimits) {
        self.ports = ports
        self.limits = limits
    }

    /// Admits one more listener, and finds its place.
    package func callAsFunction(
        from start: Start, _ filter: EventFilter, by call: CallContext,
        pause: @escaping EventBell.Pause = { try await Task.sleep(for: $0) }
    ) async throws -> EventSubscription {
        try call.require(.readEvents)
        let organizationID = call.organizationID
        // Before the log is looked at: nothing that happens meanwhile is missed.
        guard let bell = ports.feed.join(organizationID, countMax: limits.streamsPerOrganizationMax) else {
            throw Refusal.tooManyStreams(limits.streamsPerOrganizationMax)
        }
        let seat = EventSeat(feed: ports.feed, organizationID: organizationID, bell: bell)
        let extent = try await ports.look { store, _ in try store.eventLogExtent(of: organizationID) }
        return EventSubscription(
            ports: ports, principal: call.principal, filter: filter, seat: seat, place: EventPlace(start, in: extent),
            silenceMax: limits.silenceMax, pause: pause)
    }
}

/// Where in the log a listener stands.
struct EventPlace: Sendable, Hashable {
    /// The last number that the listener has seen or is past.
    var sequence: Int64
    /// Why the listener may have missed something, until it was told.
    var gap: EventGap?

    init(_ start: FollowEvents.Start, in extent: EventLogExtent) {
        switch start {
        case .now: self.init(sequence: extent.last, gap: nil)
        case .after(let seen) where seen > extent.last: self.init(sequence: extent.last, gap: .unknown(seen))
        case .after(let seen) where seen < extent.forgottenUpTo:
            self.init(sequence: extent.forgottenUpTo, gap: .forgotten(after: seen))
        case .after(let seen): self.init(sequence: seen, gap: nil)
        }
    }

    init(sequence: Int64, gap: EventGap?) {
        self.sequence = sequence
        self.gap = gap
    }
}

/// Why a listener may have missed events.
package enum EventGap: Sendable, Hashable {
    /// The log's bounds have passed over some behind this number.
    case forgotten(after: Int64)
    /// The log never gave this number to the organization: it is another log, such as one from a backup.
    case unknown(Int64)
}

/// A listener's place among the organization's streams; free again when nobody holds it.
final class EventSeat: Sendable {
    let feed: EventFeed
    let organizationID: OrganizationID
    let bell: EventBell

    init(feed: EventFeed, organizationID: OrganizationID, bell: EventBell) {
        self.feed = feed
        self.organizationID = organizationID
        self.bell = bell
    }

    deinit { feed.leave(organizationID, bell) }
}
