/// How long a rotated key goes on beside its successor.
public struct KeyOverlap: Hashable, Sendable {
    /// The longest overlap: a week.
    public static let hoursMax = 168
    /// The old key ends at once, and its live sessions with it.
    public static let none = KeyOverlap()

    /// 0 to ``hoursMax``.
    public let hours: Int

    private init() { hours = 0 }

    /// Takes whole hours; nil when there are too many or less than none.
    public init?(hours: Int) {
        guard (0...Self.hoursMax).contains(hours) else { return nil }
        self.hours = hours
    }

    var duration: Duration { .hours(Int64(hours)) }
}

/// What becomes of a key that somebody wants to rotate.
public enum KeyRotationDecision: Hashable, Sendable {
    /// Its successor takes its place now.
    case replace
    /// It goes on beside its successor, until just before the moment.
    case overlap(until: Timestamp)
    /// It has ended already.
    case refuseEnded
    /// It has a successor already: that is the one to rotate.
    case refuseRotated

    /// Decides from the key's record and the time. An overlap never makes a key live longer than it would have.
    public init(
        standing: KeyStanding, hasSuccessor: Bool, expiresAt: Timestamp?, overlap: KeyOverlap, at now: Timestamp
    ) {
        switch standing {
        case .replaced: self = .refuseRotated
        case .expired, .revoked: self = .refuseEnded
        case .valid where hasSuccessor: self = .refuseRotated
        case .valid where overlap.hours == 0: self = .replace
        case .valid:
            let end = now + overlap.duration
            self = .overlap(until: min(expiresAt ?? end, end))
        }
    }
}

extension KeyStanding {
    /// Reads the record of a key that may have a successor. With an overlap the old key counts beside it until its expiry;
    /// from then on, or when somebody ended it before, it is replaced.
    public init(expiresAt: Timestamp?, revokedAt: Timestamp?, hasSuccessor: Bool, at now: Timestamp) {
        let alone = KeyStanding(expiresAt: expiresAt, revokedAt: revokedAt, isReplaced: false, at: now)
        // Without an expiry it was replaced at once, whatever a clock that was set back says.
        let isOver = revokedAt != nil || expiresAt == nil || alone != .valid
        self = hasSuccessor && isOver ? .replaced : alone
    }
}
