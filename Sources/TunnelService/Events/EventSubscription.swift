package import TunnelDomain

/// One listener: reads on in the log as fast as it is asked, and waits for a commit when it is at the end.
///
/// Nothing is kept for a slow listener but its place. When the log's bounds pass over that place, it is told of the gap.
package actor EventSubscription {
    package enum News: Sendable, Hashable {
        /// At least one event, in order.
        case events([EventRecord])
        /// Events may be missing before what comes next; the number is the place from which it goes on.
        case gap(EventGap, resumesAfter: Int64)
        /// All that is in the log is told, or nothing has happened for a while; the number is the place that the listener has
        /// reached.
        case silence(at: Int64)
    }

    private let ports: ServicePorts
    private let principal: Principal
    private let filter: EventFilter
    private let seat: EventSeat
    private let silenceMax: Duration
    private let pause: EventBell.Pause
    private var place: EventPlace
    /// There may be events behind the place.
    private var mustRead = true
    /// The listener was told that it is at the end of the log, and knows from then on where to resume.
    private var hasCaughtUp = false

    init(
        ports: ServicePorts, principal: Principal, filter: EventFilter, seat: EventSeat, place: EventPlace,
        silenceMax: Duration, pause: @escaping EventBell.Pause
    ) {
        self.ports = ports
        self.principal = principal
        self.filter = filter
        self.seat = seat
        self.place = place
        self.silenceMax = silenceMax
        self.pause = pause
    }

    package nonisolated var organizationID: OrganizationID { seat.organizationID }

    /// Waits for what comes next; nil when there will be nothing more. One caller asks at a time.
    ///
    /// The permission is asked after every wait and before anything is given.
    package func next(whileAllowed isAllowed: @Sendable () async throws -> Bool) async throws -> News? {
        while !seat.bell.isClosed {
            if mustRead {
                let found = try await read()
                guard try await isAllowed() else { return nil }
                if let found { return found }
            }
            if !hasCaughtUp {
                hasCaughtUp = true
                return .silence(at: place.sequence)
            }
            switch await seat.bell.wait(atMost: silenceMax, pause: pause) {
            case .news: mustRead = true
            case .closed: return nil
            case .silence: return try await isAllowed() ? .silence(at: place.sequence) : nil
            }
        }
        return nil
    }

    /// Ends the wait that is under way, and every later one.
    package nonisolated func cancel() { seat.bell.close() }

    /// Reads until something is found that the listener wants, or the end of the log is reached.
    private func read() async throws -> News? {
        while true {
            if let gap = place.gap {
                place.gap = nil
                return .gap(gap, resumesAfter: place.sequence)
            }
            let (organizationID, sequence) = (organizationID, place.sequence)
            let (extent, batch) = try await ports.look { store, _ in
                (
                    try store.eventLogExtent(of: organizationID),
                    try store.events(of: organizationID, after: sequence, limit: EventLimits.batchCountMax)
                )
            }
            if sequence < extent.forgottenUpTo {
                place = EventPlace(.after(sequence), in: extent)
                continue
            }
            guard let last = batch.last else { break }
            place.sequence = last.sequence
            let wanted = batch.filter(isWanted)
            if !wanted.isEmpty { return .events(wanted) }
        }
        mustRead = false
        return nil
    }

    private func isWanted(_ event: EventRecord) -> Bool {
        let resource = Permission.Resource(
            organizationID: event.organizationID, identityID: event.identityID, tunnelID: event.tunnelID)
        return filter.takes(event.type) && Permission.decide(principal, .readEvents, on: resource) == .allow
    }
}
