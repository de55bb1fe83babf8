internal import TunnelDomain

/// Identities as rows.
enum IdentityRows {
    /// In the order of `read` and `values`.
    static let columns = """
        id, organization_id, handle, display_name, description, sealed_signing_key, signing_key_set_at, \
        created_at, updated_at, deleted_at
        """

    static func read(_ row: SQLRow) throws(SQLiteFailure) -> Identity {
        let name = try readable(try? TunnelName(validating: row.text(2)), "identities", "handle")
        return Identity(
            restoring: try readable(IdentityID(row.text(0)), "identities", "id"),
            organizationID: try readable(OrganizationID(row.text(1)), "identities", "organization_id"),
            handle: AgentHandle(name), displayName: row.textOrNil(3), description: row.textOrNil(4),
            signingKey: row.blobOrNil(5).map { Identity.SealedSigningKey(sealed: $0, setAt: row.time(6)) },
            createdAt: row.time(7), updatedAt: row.time(8), deletedAt: row.timeOrNil(9))
    }

    static func values(_ identity: Identity) -> [SQLValue] {
        [
            .text(identity.id.text), .text(identity.organizationID.text), .text(identity.handle.text),
            SQLValue(identity.displayName), SQLValue(identity.description), SQLValue(identity.signingKey?.sealed),
            SQLValue(identity.signingKey?.setAt), SQLValue(identity.createdAt), SQLValue(identity.updatedAt),
            SQLValue(identity.deletedAt),
        ]
    }
}
