/// How an API key stands at a moment.
public enum KeyStanding: Hashable, Sendable, CaseIterable {
    case valid
    /// Its time was up.
    case expired
    /// Somebody ended it, or its identity was deleted.
    case revoked
    /// Its agent rotated it: another key has taken its place.
    case replaced

    /// Reads a key's record.
    ///
    /// - Parameters:
    ///   - expiresAt: From when the key counts no more; nil for never.
    ///   - revokedAt: When it was ended; an expiry that was written down ended it at `expiresAt`.
    public init(expiresAt: Timestamp?, revokedAt: Timestamp?, isReplaced: Bool, at now: Timestamp) {
        if isReplaced {
            self = .replaced
        } else if let expiresAt, now >= expiresAt, revokedAt.map({ $0 >= expiresAt }) ?? true {
            self = .expired
        } else if let revokedAt, now >= revokedAt {
            self = .revoked
        } else {
            self = .valid
        }
    }
}

/// What an agent that asks for new credentials is answered (control plane, section 5).
public enum SelfRotationDecision: Hashable, Sendable {
    case rotate
    /// The key or the secret is wrong; which of them is not told (401).
    case refuseCredential
    /// Both are right, but the key was revoked (403).
    case refuseRevoked
    /// The key is right and has no rotation secret: an admin's, for one (403).
    case refuseNoSecret

    /// Decides from facts that the caller gathers with the same work in every case.
    ///
    /// - Parameters:
    ///   - standing: How the presented key stands; nil for a key that never was.
    ///   - hasSecret: Whether the key was issued with a rotation secret.
    ///   - secretMatches: Whether the presented secret is that one, compared in constant time.
    public init(standing: KeyStanding?, hasSecret: Bool, secretMatches: Bool) {
        switch standing {
        case nil, .expired, .replaced: self = .refuseCredential
        case .revoked: self = hasSecret && secretMatches ? .refuseRevoked : .refuseCredential
        case .valid: self = !hasSecret ? .refuseNoSecret : secretMatches ? .rotate : .refuseCredential
        }
    }
}
