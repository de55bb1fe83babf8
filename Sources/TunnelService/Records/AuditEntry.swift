package import TunnelDomain
internal import TunnelWire

/// One line of the audit trail: who did what to which thing, when, from where, and how it ended.
package struct AuditEntry: Sendable, Hashable {
    package let id: UUIDValue
    package let occurredAt: Timestamp
    /// `noun.verb`, such as `tunnel.create`.
    package let action: AuditAction
    /// Whose trail it belongs to.
    package let organizationID: OrganizationID
    package let actor: AuditActor
    package let resourceType: AuditResourceType
    package let resourceID: String
    /// The caller's IP address; nil for what the service did by itself.
    package let ip: String?
    package let requestID: String?
    package let outcome: AuditOutcome
    /// A JSON object without secrets.
    package let detailsJSON: String

    package init(
        id: UUIDValue, occurredAt: Timestamp, action: AuditAction, organizationID: OrganizationID, actor: AuditActor,
        resourceType: AuditResourceType, resourceID: String, ip: String?, requestID: String?,
        outcome: AuditOutcome = .success, detailsJSON: String = "{}"
    ) {
        self.id = id
        self.occurredAt = occurredAt
        self.action = action
        self.organizationID = organizationID
        self.actor = actor
        self.resourceType = resourceType
        self.resourceID = resourceID
        self.ip = ip
        self.requestID = requestID
        self.outcome = outcome
        self.detailsJSON = detailsJSON
    }
}

extension AuditEntry {
    /// An entry with details, none of which is a secret.
    init(
        id: UUIDValue, occurredAt: Timestamp, action: AuditAction, organizationID: OrganizationID, actor: AuditActor,
        resourceType: AuditResourceType, resourceID: String, ip: String?, requestID: String?,
        outcome: AuditOutcome = .success, details: [EventDraft.Member]
    ) {
        self.init(
            id: id, occurredAt: occurredAt, action: action, organizationID: organizationID, actor: actor,
            resourceType: resourceType, resourceID: resourceID, ip: ip, requestID: requestID, outcome: outcome,
            detailsJSON: JSONWriter.object(of: details))
    }
}

/// Who acted.
package struct AuditActor: Sendable, Hashable {
    package enum Kind: String, Sendable, Hashable, CaseIterable {
        case apiKey = "api_key"
        case agent, app
        /// The service itself, or its operator at the command line.
        case system
    }

    package let kind: Kind
    package let id: String
    package let label: String

    package init(kind: Kind, id: String, label: String) {
        self.kind = kind
        self.id = id
        self.label = label
    }

    package static let system = AuditActor(kind: .system, id: "culvertd", label: "culvertd")
}

package enum AuditAction: String, Sendable, Hashable, CaseIterable {
    case organizationCreate = "organization.create"
    case keyCreate = "key.create"
    case keyRevoke = "key.revoke"
    /// A key was exchanged for another, by its agent or by an administrator.
    case keyRotate = "key.rotate"
    /// A key's time was up, and the expiry was written down.
    case keyExpire = "key.expire"
    /// Credentials were shown that do not count.
    case authFail = "auth.fail"
    case identityCreate = "identity.create"
    case identityUpdate = "identity.update"
    case identityDelete = "identity.delete"
    /// A webhook signing key was created or replaced.
    case signingKeyRotate = "signing_key.rotate"
    case tunnelCreate = "tunnel.create"
    case tunnelUpdate = "tunnel.update"
    case tunnelDelete = "tunnel.delete"
    case tunnelRestore = "tunnel.restore"
    case tunnelForceDelete = "tunnel.force_delete"
    /// The grace window ended and the deletion was written down.
    case tunnelFinalize = "tunnel.finalize"
    /// Agents kept taking the tunnel from each other, and challengers have to wait.
    case tunnelSupersede = "tunnel.supersede"
    case secretRotate = "secret.rotate"
    case certSign = "cert.sign"
    /// The head of this trail was lost: whether the lines before are whole cannot be told any more.
    case auditBreak = "audit.break"
    case appCreate = "app.create"
    case appDelete = "app.delete"
    case appRotateSecret = "app.rotate_secret"
    case webhookCreate = "webhook.create"
    case webhookUpdate = "webhook.update"
    case webhookDelete = "webhook.delete"
    case webhookRotateSecret = "webhook.rotate_secret"
    case webhookReplay = "webhook.replay"
}

package enum AuditResourceType: String, Sendable, Hashable, CaseIterable {
    case organization, tunnel, identity, app, webhook
    case apiKey = "api_key"
}

package enum AuditOutcome: String, Sendable, Hashable, CaseIterable { case success, refused }

/// An entry with its place in the hash chain, as it is stored.
package struct ChainedAuditEntry: Sendable, Hashable {
    /// Its place, from 1.
    package let sequence: Int64
    package let entry: AuditEntry
    /// The `hash` of the entry before it; 32 zero bytes for the first.
    package let previousHash: [UInt8]
    /// SHA-256 over the previous hash and every field of the entry.
    package let hash: [UInt8]

    package init(sequence: Int64, entry: AuditEntry, previousHash: [UInt8], hash: [UInt8]) {
        self.sequence = sequence
        self.entry = entry
        self.previousHash = previousHash
        self.hash = hash
    }
}
