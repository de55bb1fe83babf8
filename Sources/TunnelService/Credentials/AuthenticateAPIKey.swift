package import TunnelDomain

/// Tells whose API key it is.
package struct AuthenticateAPIKey: Sendable {
    /// A key's last use is written down at most this often.
    package static let touchIntervalSecondsMin: Int64 = 60

    private let ports: ServicePorts

    package init(ports: ServicePorts) { self.ports = ports }

    /// The key's record, or nil when it does not count.
    package func callAsFunction(_ presented: String, from address: String = "") async throws -> APIKeyRecord? {
        try await judge(presented, from: address).record
    }

    /// Malformed, unknown, expired and revoked keys all cost one hash and one look-up.
    ///
    /// - Parameter address: The caller's IP address without port; a text that is none is in no range.
    package func judge(_ presented: String, from address: String) async throws -> Authentication<APIKeyRecord> {
        let hash = ports.hasher.hash(ofSecret: presented)
        let (found, now) = try await ports.look { store, now in (try store.apiKey(hash: hash), now) }
        guard let record = found else { return .unknown }
        switch record.standing(at: now) {
        case .valid where !record.bounds.admits(address): return .misplaced(record)
        case .valid: await touch(record, at: now)
        case .expired: return .refused(record, reason: "the key has expired")
        case .revoked: return .refused(record, reason: "the key was revoked")
        case .replaced: return .refused(record, reason: "the key was rotated")
        }
        return .accepted(record)
    }

    private func touch(_ record: APIKeyRecord, at now: Timestamp) async {
        if let last = record.lastUsedAt, last <= now, now - last < .seconds(Self.touchIntervalSecondsMin) { return }
        // A store that takes no writes must not keep callers from reading.
        try? await ports.store.write { store in try store.touchAPIKey(record.id, at: now) }
    }
}

extension APIKeyRecord {
    /// What the key's owner may be asked about.
    package var principal: Principal {
        Principal(organizationID: organizationID, kind: ownerKind, bounds: bounds)
    }

    /// Whose the key is.
    package var ownerKind: Principal.Kind { scopedIdentityID.map(Principal.Kind.identityKey) ?? .adminKey }

    package var actor: AuditActor { AuditActor(kind: .apiKey, id: idText, label: label) }
}
