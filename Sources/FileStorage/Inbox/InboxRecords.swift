package import TunnelDomain

/// A webhook that was taken, as it came in.
package struct InboxEvent: Sendable, Hashable {
    package var id: Int64 = 0
    package var route: String
    /// The sender's own id of the delivery; the same id is the same event.
    package var deliveryID: String?
    package var receivedAt: Timestamp
    package var method: String
    package var target: String
    package var address: String
    /// The header fields as a JSON array of pairs.
    package var fields: String
    package var body: [UInt8]
    /// How the sender was proven, as a JSON object.
    package var verdict: String
    /// Whether the route's filter let it through; what it did not is kept for the history only.
    package var isWanted: Bool
    /// Why the filter could not decide, for people; nil when it did. What it could not decide is not wanted.
    package var filterNote: String?

    package init(
        route: String, deliveryID: String?, receivedAt: Timestamp, method: String, target: String, address: String,
        fields: String, body: [UInt8], verdict: String, isWanted: Bool, filterNote: String? = nil
    ) {
        self.route = route
        self.deliveryID = deliveryID
        self.receivedAt = receivedAt
        self.method = method
        self.target = target
        self.address = address
        self.fields = fields
        self.body = body
        self.verdict = verdict
        self.isWanted = isWanted
        self.filterNote = filterNote
    }
}

/// A run with its place in the inbox.
package struct InboxRun: Sendable, Hashable {
    package var id: Int64
    package var eventID: Int64
    package var route: String
    /// See `RunSchedule`.
    package var line: String
    package var run: Run
    /// What the last attempt came to, in a few words.
    package var detail: String
    /// What the last attempt wrote, as far as it is kept.
    package var output: [UInt8]

    package var scheduleEntry: RunSchedule.Entry? {
        guard case .waiting(let due) = run.state else { return nil }
        return RunSchedule.Entry(id: id, route: route, line: line, due: due)
    }
}

/// One attempt of a run that has ended.
package struct InboxAttempt: Sendable, Hashable {
    package var runID: Int64
    package var number: Int
    package var startedAt: Timestamp
    package var endedAt: Timestamp
    package var hasSucceeded: Bool
    package var detail: String

    package init(
        runID: Int64, number: Int, startedAt: Timestamp, endedAt: Timestamp, hasSucceeded: Bool, detail: String
    ) {
        self.runID = runID
        self.number = number
        self.startedAt = startedAt
        self.endedAt = endedAt
        self.hasSucceeded = hasSucceeded
        self.detail = detail
    }
}

/// What became of offering an event to the inbox.
package enum InboxAnswer: Sendable, Hashable {
    /// It is on the disk. The run is nil when nothing is to be done for it.
    case accepted(eventID: Int64, run: InboxRun?)
    /// The same delivery came before; nothing has changed.
    case duplicate(eventID: Int64)
    /// The same signed message came before under another delivery id; nothing has changed.
    case replayed
}

/// What is not done yet.
package struct InboxBacklog: Sendable, Hashable {
    package var eventCount: Int
    package var byteCount: Int

    package init(eventCount: Int, byteCount: Int) {
        self.eventCount = eventCount
        self.byteCount = byteCount
    }
}

/// What a person asks of the process that owns the inbox.
package struct InboxWish: Sendable, Hashable {
    package enum Act: String, Sendable, Hashable, CaseIterable {
        case rerun, cancel, retry, drop, replay
    }

    package var act: Act
    /// The run's id, or for `replay` the event's.
    package var subject: Int64

    package init(_ act: Act, _ subject: Int64) {
        self.act = act
        self.subject = subject
    }
}

/// What came of a wish.
package enum InboxWishOutcome: Sendable, Hashable {
    case done(run: InboxRun)
    case notFound
    case refused(RunRefusal)
}
