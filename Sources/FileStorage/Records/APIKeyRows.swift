internal import TunnelDomain
internal import TunnelService

/// API keys as rows.
enum APIKeyRows {
    /// In the order of `read` and `values`.
    static let columns = """
        id, organization_id, scoped_identity_id, label, description, hash, display_prefix, last4, created_by, \
        created_at, updated_at, last_used_at, expires_at, revoked_at, creator_type, rotation_secret_hash, replaced_by, \
        scopes, allowed_ip_ranges
        """

    static func read(_ row: SQLRow) throws(SQLiteFailure) -> APIKeyRecord {
        APIKeyRecord(
            id: try readable(UUIDValue(row.text(0)), "api_keys", "id"),
            organizationID: try readable(OrganizationID(row.text(1)), "api_keys", "organization_id"),
            scopedIdentityID: row.isNull(2) ? nil : try readable(IdentityID(row.text(2)), "api_keys", "scoped_identity_id"),
            label: row.text(3), description: row.textOrNil(4), hash: row.blob(5), displayPrefix: row.text(6),
            last4: row.text(7), createdBy: row.text(8),
            creatorType: try readable(KeyCreatorType(rawValue: row.text(14)), "api_keys", "creator_type"),
            createdAt: row.time(9), updatedAt: row.time(10),
            lastUsedAt: row.timeOrNil(11), expiresAt: row.timeOrNil(12), revokedAt: row.timeOrNil(13),
            rotationSecretHash: row.blobOrNil(15),
            replacedBy: row.isNull(16) ? nil : try readable(UUIDValue(row.text(16)), "api_keys", "replaced_by"),
            bounds: KeyBounds(
                scopes: row.isNull(17) ? nil : try readable(KeyScopes(text: row.text(17)), "api_keys", "scopes"),
                ranges: row.isNull(18) ? [] : try ranges(row.text(18))))
    }

    /// Ranges between spaces. One that cannot be read makes the row unreadable: without it the key would reach further, or
    /// less far, than it was made for.
    private static func ranges(_ text: String) throws(SQLiteFailure) -> [AddressRange] {
        var ranges: [AddressRange] = []
        for part in text.split(separator: " ") {
            ranges.append(try readable(try? AddressRange(validating: String(part)), "api_keys", "allowed_ip_ranges"))
        }
        return try readable(ranges.isEmpty ? nil : ranges, "api_keys", "allowed_ip_ranges")
    }

    static func values(_ key: APIKeyRecord) -> [SQLValue] {
        [
            .text(key.id.text), .text(key.organizationID.text), SQLValue(key.scopedIdentityID?.text), .text(key.label),
            SQLValue(key.description), .blob(key.hash), .text(key.displayPrefix), .text(key.last4), .text(key.createdBy),
            SQLValue(key.createdAt), SQLValue(key.updatedAt), SQLValue(key.lastUsedAt), SQLValue(key.expiresAt),
            SQLValue(key.revokedAt), .text(key.creatorType.rawValue), SQLValue(key.rotationSecretHash),
            SQLValue(key.replacedBy?.text), SQLValue(key.bounds.scopes?.text),
            SQLValue(key.bounds.ranges.isEmpty ? nil : key.bounds.ranges.map(\.text).joined(separator: " ")),
        ]
    }
}
