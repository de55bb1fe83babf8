package import TunnelDomain
internal import TunnelWire

/// What can happen, in the words of `GET /events` and of webhooks (control plane, section 7).
package enum EventType: String, Sendable, Hashable, CaseIterable {
    case tunnelCreated = "tunnel.created"
    case tunnelUpdated = "tunnel.updated"
    case tunnelDeletePending = "tunnel.delete_pending"
    case tunnelRestored = "tunnel.restored"
    case tunnelDeleted = "tunnel.deleted"
    case tunnelConnected = "tunnel.connected"
    case tunnelDisconnected = "tunnel.disconnected"
    /// Another agent took the tunnel over.
    case tunnelSuperseded = "tunnel.superseded"
    case secretRotated = "secret.rotated"
    case certSigned = "cert.signed"
    /// The renewal window of a certificate has begun and it was not renewed.
    case certExpiring = "cert.expiring"
    case identityCreated = "identity.created"
    case identityUpdated = "identity.updated"
    case identityDeleted = "identity.deleted"
    case keyCreated = "key.created"
    case keyRevoked = "key.revoked"
    case keyRotated = "key.rotated"
}

/// An event before the log has given it its place.
package struct EventDraft: Sendable, Hashable {
    package let type: EventType
    package let organizationID: OrganizationID
    /// The identity that it is about or that owns what it is about.
    package let identityID: IdentityID?
    package let tunnelID: TunnelID?
    /// Members of the event's `data`, without secrets; nil stands for null.
    package let data: [Member]

    package struct Member: Sendable, Hashable {
        package let name: String
        package let value: String?

        package init(_ name: String, _ value: String?) {
            self.name = name
            self.value = value
        }
    }

    package init(
        _ type: EventType, organizationID: OrganizationID, identityID: IdentityID? = nil, tunnelID: TunnelID? = nil,
        data: [Member]
    ) {
        self.type = type
        self.organizationID = organizationID
        self.identityID = identityID
        self.tunnelID = tunnelID
        self.data = data
    }

    /// An event about a tunnel as it is.
    package init(_ type: EventType, _ tunnel: Tunnel, adding data: [Member] = []) {
        let own = [
            Member("tunnel_id", tunnel.id.text), Member("tunnel_name", tunnel.name.text),
            Member("tls_mode", tunnel.tlsMode.rawValue), Member("agent_identity_id", tunnel.identityID?.text),
        ]
        self.init(
            type, organizationID: tunnel.organizationID, identityID: tunnel.identityID, tunnelID: tunnel.id, data: own + data)
    }

    /// What a committed change means to those who listen; nil when it means nothing to them.
    init?(_ notice: ServiceNotice) {
        switch notice {
        case .tunnelChanged(let tunnel, let change): self.init(change.eventType, tunnel)
        case .keyEnded: return nil
        }
    }

    /// `data` as a JSON object.
    package var dataJSON: String { JSONWriter.object(of: data) }
}

extension JSONWriter {
    /// The members as a JSON object.
    static func object(of members: [EventDraft.Member]) -> String {
        var writer = JSONWriter()
        writer.beginObject()
        for member in members {
            writer.name(member.name)
            if let value = member.value { writer.string(value) } else { writer.null() }
        }
        writer.endObject()
        return String(decoding: writer.bytes, as: UTF8.self)
    }
}

extension TunnelChange {
    fileprivate var eventType: EventType {
        switch self {
        case .created: .tunnelCreated
        case .updated: .tunnelUpdated
        case .deletePending: .tunnelDeletePending
        case .restored: .tunnelRestored
        case .deleted: .tunnelDeleted
        case .secretRotated: .secretRotated
        case .certSigned: .certSigned
        }
    }
}

/// An event in the log.
package struct EventRecord: Sendable, Hashable {
    /// Its place in the log of all organizations: rises, with gaps for each of them. Zero before it is stored.
    package let sequence: Int64
    package let id: UUIDValue
    package let occurredAt: Timestamp
    package let type: EventType
    package let organizationID: OrganizationID
    package let identityID: IdentityID?
    package let tunnelID: TunnelID?
    /// A JSON object without secrets.
    package let dataJSON: String

    package init(
        sequence: Int64 = 0, id: UUIDValue, occurredAt: Timestamp, type: EventType, organizationID: OrganizationID,
        identityID: IdentityID?, tunnelID: TunnelID?, dataJSON: String
    ) {
        self.sequence = sequence
        self.id = id
        self.occurredAt = occurredAt
        self.type = type
        self.organizationID = organizationID
        self.identityID = identityID
        self.tunnelID = tunnelID
        self.dataJSON = dataJSON
    }
}
