package import TunnelDomain

/// A URL that an organization wants to be called at when something happens.
package struct WebhookRecord: Sendable, Hashable {
    package let id: UUIDValue
    package let organizationID: OrganizationID
    /// Only events of this identity are delivered; nil for all of the organization.
    package let identityID: IdentityID?
    package var url: String
    /// Patterns of an `EventFilter`.
    package var eventTypes: [String]
    package var description: String?
    /// The signing secret's text, encrypted.
    package private(set) var sealedSecret: [UInt8]
    /// The secret before the last rotation: deliveries are signed with both until the moment.
    package private(set) var earlierSecret: EarlierSecret?
    /// Since when every attempt has failed; nil when the last one succeeded, or there was none.
    package private(set) var failingSince: Timestamp?
    package let createdAt: Timestamp
    package private(set) var updatedAt: Timestamp

    package struct EarlierSecret: Sendable, Hashable {
        package let sealed: [UInt8]
        package let validUntil: Timestamp

        package init(sealed: [UInt8], validUntil: Timestamp) {
            self.sealed = sealed
            self.validUntil = validUntil
        }
    }

    package init(
        id: UUIDValue, organizationID: OrganizationID, identityID: IdentityID?, url: String, eventTypes: [String],
        description: String?, sealedSecret: [UInt8], earlierSecret: EarlierSecret? = nil, failingSince: Timestamp? = nil,
        createdAt: Timestamp, updatedAt: Timestamp
    ) {
        self.id = id
        self.organizationID = organizationID
        self.identityID = identityID
        self.url = url
        self.eventTypes = eventTypes
        self.description = description
        self.sealedSecret = sealedSecret
        self.earlierSecret = earlierSecret
        self.failingSince = failingSince
        self.createdAt = createdAt
        self.updatedAt = updatedAt
    }

    /// Whether the event is to be delivered.
    package func wants(_ event: EventDraft) -> Bool {
        guard identityID == nil || identityID == event.identityID else { return false }
        // Patterns are checked when they come in; one that an older version knew and this one does not matches nothing.
        return (try? EventFilter(eventTypes))?.takes(event.type) ?? false
    }

    package mutating func changed(at now: Timestamp) { updatedAt = max(now, updatedAt) }

    package mutating func rotateSecret(to sealed: [UInt8], keepingEarlierFor overlap: Duration, at now: Timestamp) {
        earlierSecret = EarlierSecret(sealed: sealedSecret, validUntil: now + overlap)
        sealedSecret = sealed
        changed(at: now)
    }

    package mutating func noteAttempt(succeeded: Bool, at now: Timestamp) {
        failingSince = succeeded ? nil : failingSince ?? now
    }
}

/// One event on its way to one URL.
package struct WebhookDelivery: Sendable, Hashable {
    package enum State: Sendable, Hashable {
        /// It is tried at the moment, or as soon after it as there is room.
        case pending(next: Timestamp)
        case delivered(at: Timestamp)
        /// It was tried for as long as it may be, or there was no more room for it.
        case exhausted(at: Timestamp)

        /// The word for it in the API and in the store.
        package var name: String {
            switch self {
            case .pending: "pending"
            case .delivered: "delivered"
            case .exhausted: "exhausted"
            }
        }
    }

    /// What came of an attempt.
    package struct Attempt: Sendable, Hashable {
        package let at: Timestamp
        /// The status of the receiver's answer; nil when there was none.
        package let status: Int?
        /// Why there was no answer, or why it counts as none; nil when it succeeded.
        package let error: String?
        package let milliseconds: Int

        package init(at: Timestamp, status: Int?, error: String?, milliseconds: Int) {
            self.at = at
            self.status = status
            self.error = error
            self.milliseconds = milliseconds
        }

        package var succeeded: Bool { error == nil }
    }

    package let id: UUIDValue
    package let subscriptionID: UUIDValue
    package let organizationID: OrganizationID
    /// What receivers know the event by, however often it comes: the `webhook-id`.
    package let eventID: UUIDValue
    package let eventType: EventType
    package let identityID: IdentityID?
    /// The bytes that are signed and sent, the same at every attempt.
    package let body: String
    /// The delivery that this one repeats.
    package let replayOf: UUIDValue?
    package let createdAt: Timestamp
    package private(set) var state: State
    package private(set) var attemptCount: Int
    package private(set) var lastAttempt: Attempt?

    package init(
        id: UUIDValue, subscriptionID: UUIDValue, organizationID: OrganizationID, eventID: UUIDValue, eventType: EventType,
        identityID: IdentityID?, body: String, replayOf: UUIDValue? = nil, createdAt: Timestamp, state: State,
        attemptCount: Int = 0, lastAttempt: Attempt? = nil
    ) {
        self.id = id
        self.subscriptionID = subscriptionID
        self.organizationID = organizationID
        self.eventID = eventID
        self.eventType = eventType
        self.identityID = identityID
        self.body = body
        self.replayOf = replayOf
        self.createdAt = createdAt
        self.state = state
        self.attemptCount = attemptCount
        self.lastAttempt = lastAttempt
    }

    /// A new delivery of the same event, due at once.
    package func replayed(as id: UUIDValue, at now: Timestamp) -> WebhookDelivery {
        WebhookDelivery(
            id: id, subscriptionID: subscriptionID, organizationID: organizationID, eventID: eventID, eventType: eventType,
            identityID: identityID, body: body, replayOf: self.id, createdAt: now, state: .pending(next: now))
    }

    package var isPending: Bool { nextAttemptAt != nil }

    /// When it is tried next; nil when it has ended.
    package var nextAttemptAt: Timestamp? {
        switch state {
        case .pending(let next): next
        case .delivered, .exhausted: nil
        }
    }

    /// When it ended; nil while it is pending.
    package var endedAt: Timestamp? {
        switch state {
        case .pending: nil
        case .delivered(let end), .exhausted(let end): end
        }
    }

    /// Takes an attempt's outcome; one that comes after the end changes nothing.
    package mutating func attempted(
        _ attempt: Attempt, wish: Duration?, _ plan: DeliveryRetryPlan, using random: inout some RandomNumberGenerator
    ) {
        guard isPending else { return }
        attemptCount += 1
        lastAttempt = attempt
        if attempt.succeeded {
            state = .delivered(at: attempt.at)
            return
        }
        switch plan.next(afterFailures: attemptCount, madeAt: createdAt, wish: wish, at: attempt.at, using: &random) {
        case .retry(let moment): state = .pending(next: moment)
        case .giveUp: state = .exhausted(at: attempt.at)
        }
    }
}
