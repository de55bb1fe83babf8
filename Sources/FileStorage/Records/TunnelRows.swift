internal import TunnelDomain

/// Tunnels as rows.
enum TunnelRows {
    /// In the order of `read` and `values`.
    static let columns = """
        id, organization_id, identity_id, name, description, metadata, tls_mode, status, restore_deadline_at, \
        cert_pem, chain_pem, cert_fingerprint, cert_not_before, cert_not_after, connect_secret_hash, \
        last_connected_at, last_connected_address, last_disconnected_at, created_at, updated_at
        """

    static func read(_ row: SQLRow) throws(SQLiteFailure) -> Tunnel {
        let state = Tunnel.StoredState(text: row.text(7), restoreDeadline: row.timeOrNil(8))
        return Tunnel(
            restoring: try readable(TunnelID(row.text(0)), "tunnels", "id"),
            organizationID: try readable(OrganizationID(row.text(1)), "tunnels", "organization_id"),
            identityID: row.isNull(2) ? nil : try readable(IdentityID(row.text(2)), "tunnels", "identity_id"),
            name: try readable(try? TunnelName(validating: row.text(3)), "tunnels", "name"),
            description: row.textOrNil(4), metadataJSON: row.text(5),
            tlsMode: try readable(TLSMode(rawValue: row.text(6)), "tunnels", "tls_mode"),
            state: try readable(state, "tunnels", "status"),
            certificate: try certificate(row), connectSecretHash: row.blobOrNil(14),
            lastConnectedAt: row.timeOrNil(15), lastConnectedAddress: row.textOrNil(16),
            lastDisconnectedAt: row.timeOrNil(17), createdAt: row.time(18), updatedAt: row.time(19))
    }

    private static func certificate(_ row: SQLRow) throws(SQLiteFailure) -> TunnelCertificate? {
        guard let pem = row.textOrNil(9) else { return nil }
        let (start, end) = (row.time(12), row.time(13))
        guard start <= end else { throw .badRow("tunnels", "cert_not_after") }
        return TunnelCertificate(
            pem: pem, chainPEM: row.text(10), fingerprintSHA256: row.text(11),
            validity: CertificateValidity(notBefore: start, notAfter: end))
    }

    static func values(_ tunnel: Tunnel) -> [SQLValue] {
        let state = tunnel.storedState
        let certificate = tunnel.certificate
        return [
            .text(tunnel.id.text), .text(tunnel.organizationID.text), SQLValue(tunnel.identityID?.text),
            .text(tunnel.name.text), SQLValue(tunnel.description), .text(tunnel.metadataJSON),
            .text(tunnel.tlsMode.rawValue), .text(state.text), SQLValue(state.restoreDeadline),
            SQLValue(certificate?.pem), SQLValue(certificate?.chainPEM), SQLValue(certificate?.fingerprintSHA256),
            SQLValue(certificate?.validity.notBefore), SQLValue(certificate?.validity.notAfter),
            SQLValue(tunnel.connectSecretHash), SQLValue(tunnel.lastConnectedAt), SQLValue(tunnel.lastConnectedAddress),
            SQLValue(tunnel.lastDisconnectedAt), SQLValue(tunnel.createdAt), SQLValue(tunnel.updatedAt),
        ]
    }
}
