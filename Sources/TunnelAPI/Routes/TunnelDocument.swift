internal import TunnelDomain
internal import TunnelService
internal import TunnelWire

/// The tunnel object of both dialects: every member is always there, in this order (control plane, section 3).
struct TunnelDocument {
    let snapshot: TunnelSnapshot
    let zone: Zone

    func value() throws -> JSONValue {
        let tunnel = snapshot.tunnel
        return .members([
            "id": .string(tunnel.id.text),
            "organization_id": .string(tunnel.organizationID.text),
            "agent_identity_id": .optional(tunnel.identityID?.text),
            "tunnel_name": .string(tunnel.name.text),
            "description": .optional(tunnel.description),
            "metadata": try JSONValue(parsing: Array(tunnel.metadataJSON.utf8)),
            "tls_mode": .string(tunnel.tlsMode.rawValue),
            "status": .string(tunnel.status(at: snapshot.moment).rawValue),
            "public_host": .string(PublicHost(name: tunnel.name, zone: zone).text),
            "zone": .string(zone.text),
            "cert_pem": .optional(tunnel.certificate?.pem),
            "cert_fingerprint_sha256": .optional(tunnel.certificate?.fingerprintSHA256),
            "cert_expires_at": .time(tunnel.certificate?.validity.notAfter),
            "last_connected_at": .time(tunnel.lastConnectedAt),
            "last_connected_ip_addr": .optional(tunnel.lastConnectedAddress),
            "last_disconnected_at": .time(tunnel.lastDisconnectedAt),
            "restore_deadline_at": .time(tunnel.restoreDeadline(at: snapshot.moment)),
            "currently_connected": .bool(snapshot.isConnected),
            "connected_agents": .number("\(snapshot.connectedAgentCount)"),
            "created_at": .time(tunnel.createdAt),
            "updated_at": .time(tunnel.updatedAt),
        ])
    }
}

extension JSONValue {
    /// A moment as ISO 8601 in UTC, or null.
    static func time(_ moment: Timestamp?) -> JSONValue { .optional(moment?.iso8601) }
}
