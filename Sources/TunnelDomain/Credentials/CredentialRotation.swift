/// The hashes under which a credential is accepted, across rotations.
///
/// After a rotation the new secret counts at once. The old one is refused from that moment, unless an overlap was asked for;
/// then it is accepted until the overlap ends. Only one old secret is ever accepted: a second rotation ends the first overlap.
public struct CredentialRotation: Hashable, Sendable {
    /// The hash of the secret that counts.
    public let current: [UInt8]
    /// The hash of the one before, while it is still accepted.
    public let previous: Previous?

    /// An old secret's hash and the moment from which it is refused.
    public struct Previous: Hashable, Sendable {
        public let hash: [UInt8]
        public let acceptedUntil: Timestamp

        /// Takes a hash that is accepted until just before the moment.
        public init(hash: [UInt8], acceptedUntil: Timestamp) {
            self.hash = hash
            self.acceptedUntil = acceptedUntil
        }
    }

    /// A credential as it was issued, or as a store remembers it.
    public init(current: [UInt8], previous: Previous? = nil) {
        self.current = current
        self.previous = previous
    }

    /// The credential after a rotation; the old secret is accepted for the overlap, by default not at all.
    public func rotated(to hash: [UInt8], at now: Timestamp, overlap: Duration = .zero) -> CredentialRotation {
        guard overlap > .zero else { return CredentialRotation(current: hash) }
        return CredentialRotation(current: hash, previous: Previous(hash: current, acceptedUntil: now + overlap))
    }

    /// What a presented secret's hash is; both hashes are compared in constant time, whatever the first comparison gave.
    public func answer(to hash: [UInt8], at now: Timestamp) -> CredentialAnswer {
        let isCurrent = constantTimeEquals(hash, current)
        let isPrevious = constantTimeEquals(hash, previous?.hash ?? current)
        if isCurrent { return .current }
        guard isPrevious, let previous, now < previous.acceptedUntil else { return .refused }
        return .previous(acceptedUntil: previous.acceptedUntil)
    }
}

/// What a presented secret turned out to be.
public enum CredentialAnswer: Hashable, Sendable {
    case current
    /// The secret before the last rotation, still within its overlap.
    case previous(acceptedUntil: Timestamp)
    case refused
}
