/// The name that a client gives to one attempt, so that repeating it cannot do the work twice: 1 to 255 characters.
public struct IdempotencyKey: Hashable, Sendable {
    /// The most Unicode scalars of a key.
    public static let scalarCountMax = 255

    public let text: String

    /// Takes the value of an `Idempotency-Key` header.
    public init(validating text: String) throws(IdempotencyKeyError) {
        let count = text.unicodeScalars.count
        guard count > 0 else { throw .empty }
        guard count <= Self.scalarCountMax else { throw .tooLong(scalarCount: count) }
        self.text = text
    }
}

/// Why a text cannot be an idempotency key; the API answers 422.
public enum IdempotencyKeyError: Error, Hashable, Sendable {
    case empty
    /// More than ``IdempotencyKey/scalarCountMax`` Unicode scalars.
    case tooLong(scalarCount: Int)

    /// What is wrong and what would be right, in one sentence for people.
    public var explanation: String {
        switch self {
        case .empty: "The Idempotency-Key is empty; send 1 to \(IdempotencyKey.scalarCountMax) characters, or no such header."
        case .tooLong(let count):
            "The Idempotency-Key has \(count) characters; at most \(IdempotencyKey.scalarCountMax) are allowed."
        }
    }
}

/// What is remembered of a call that carried an idempotency key, for its organization (control plane, section 2).
public struct IdempotencyRecord: Hashable, Sendable {
    /// How long a key is remembered, from its first use.
    public static let lifetime: Duration = .hours(24)
    /// After this time a call that never ended is taken for dead, as a crash leaves it; live calls take seconds.
    public static let inFlightMax: Duration = .seconds(5 * 60)

    public let key: IdempotencyKey
    /// A digest of method, path and body: equal for equal requests.
    public let requestFingerprint: [UInt8]
    public let firstUsedAt: Timestamp
    public private(set) var state: State

    /// How far the first call has come.
    public enum State: Hashable, Sendable {
        case inFlight(since: Timestamp)
        /// The final answer; the body in the form in which the store keeps it, which is encrypted: secrets may be in it.
        case done(status: Int, storedBody: [UInt8])
    }

    /// Begins a record for the first call with a key.
    public init(beginning key: IdempotencyKey, requestFingerprint: [UInt8], at now: Timestamp) {
        self.init(restoring: key, requestFingerprint: requestFingerprint, firstUsedAt: now, state: .inFlight(since: now))
    }

    /// Makes the record again from what a store kept.
    public init(restoring key: IdempotencyKey, requestFingerprint: [UInt8], firstUsedAt: Timestamp, state: State) {
        self.key = key
        self.requestFingerprint = requestFingerprint
        self.firstUsedAt = firstUsedAt
        self.state = state
    }

    /// When the record may be forgotten.
    public var expiresAt: Timestamp { firstUsedAt + Self.lifetime }

    /// Decides what becomes of a call that carries the record's key.
    public func decide(requestFingerprint: [UInt8], at now: Timestamp) -> IdempotencyDecision {
        guard now < expiresAt else { return .proceed }
        guard requestFingerprint == self.requestFingerprint else { return .mismatch }
        switch state {
        case .inFlight(let since): return now < since + Self.inFlightMax ? .inFlight : .proceed
        case .done(let status, let storedBody): return .replay(status: status, storedBody: storedBody)
        }
    }

    /// Ends the call with an answer, and says whether the record is worth keeping.
    public mutating func finish(status: Int, storedBody: [UInt8]) -> IdempotencyFinish {
        guard Self.isFinal(status: status) else { return .forget }
        state = .done(status: status, storedBody: storedBody)
        return .keep
    }

    /// Whether repeating the request would give the same answer: not for the server's faults (5xx), and not for what time
    /// alone changes (408, 425, 429).
    public static func isFinal(status: Int) -> Bool {
        status < 500 && ![408, 425, 429].contains(status)
    }
}

/// What becomes of a call whose key is known.
public enum IdempotencyDecision: Hashable, Sendable {
    /// Do the work under a new record that takes the place of this one, which is out of date.
    case proceed
    /// Give the first answer again, with `Idempotency-Replayed: true`.
    case replay(status: Int, storedBody: [UInt8])
    /// The key was used for another request: 422.
    case mismatch
    /// The first call still runs: 409.
    case inFlight
}

/// What to do with the record of a call that has ended.
public enum IdempotencyFinish: Hashable, Sendable { case keep, forget }
