package import TunnelDomain

extension APIKeyRecord {
    /// The key's id as clients and the audit trail write it: `ApiKey_` and a UUID. It is no secret; secrets have no hyphens.
    package var idText: String { Self.text(of: id) }

    package static func text(of id: UUIDValue) -> String { SecretKind.apiKey.prefix + id.text }

    /// Reads an id in that form; anything else gives nil.
    package static func id(of text: String) -> UUIDValue? {
        let prefix = SecretKind.apiKey.prefix
        guard text.utf8.starts(with: prefix.utf8) else { return nil }
        return UUIDValue(String(text.dropFirst(prefix.count)))
    }
}

extension EventDraft {
    /// An event about a key; nothing of it could be used as one.
    init(_ type: EventType, _ key: APIKeyRecord, adding data: [Member] = []) {
        let own = [
            Member("api_key_id", key.idText), Member("label", key.label),
            Member("scoped_identity_id", key.scopedIdentityID?.text),
        ]
        self.init(type, organizationID: key.organizationID, identityID: key.scopedIdentityID, data: own + data)
    }
}
