public import FoundationEssentials

/// API keys, and who the caller is (control plane §4 and §5).
extension CulvertClient {
    /// Mints an API key for one identity, with a rotation secret beside it. Both are shown this once.
    ///
    /// - Parameters:
    ///   - label: for people to tell keys apart.
    ///   - identityID: the id, not the handle, of the identity that the key acts for; without one the key would be an admin
    ///     key, which servers refuse to mint over the API.
    ///   - expiresAt: from then on the key is refused; nil for a key that does not expire.
    /// - Throws: 403 not an admin key, or an admin key was asked for; 422 no such identity, or a value breaks a rule.
    public func createAPIKey(
        label: String, description: String? = nil, identityID: String?, expiresAt: Date? = nil
    ) async throws(ClientError) -> CreatedAPIKey {
        let new = NewAPIKey(
            label: label, description: description, scopedIdentityID: identityID, expiresAt: expiresAt.map(ClientJSON.text))
        return try await answer(CreatedAPIKey.self, to: creation(Self.root, body: encode(new)))
    }

    /// One API key, without the key itself.
    ///
    /// - Throws: 404.
    public func apiKey(id: String) async throws(ClientError) -> APIKeyRecord {
        try await answer(APIKeyRecord.self, to: .get("\(Self.root)/\(PercentEncoding.encode(id))"))
    }

    /// Every API key that the caller may see, newest first, without the keys themselves.
    public func apiKeys() async throws(ClientError) -> [APIKeyRecord] {
        try await bareList(APIKeyRecord.self, at: Self.root).collect()
    }

    /// Revokes a key: it is refused from the next request on, and connections that used it end.
    ///
    /// - Throws: 403; 404.
    public func revokeAPIKey(id: String) async throws(ClientError) {
        try await acknowledgement(of: Call(method: "DELETE", path: "\(Self.root)/\(PercentEncoding.encode(id))"))
    }

    /// Who the server takes the caller for.
    public func caller() async throws(ClientError) -> Caller {
        try await answer(Caller.self, to: .get("/api/v1/whoami"))
    }

    /// Replaces the API key that this client uses, and its rotation secret, by new ones (control plane §5).
    ///
    /// From the moment of success the old values are refused, so the answer must not be lost. Keep `idempotencyKey` where a
    /// crash cannot take it before the call; the same call with the same old values and the same key gives the same answer
    /// for 24 hours.
    ///
    /// - Parameters:
    ///   - rotationSecret: the one that came with the key, or with its last rotation.
    ///   - idempotencyKey: 1...255 characters; nil makes a new one.
    /// - Throws: 401 the key or the secret is wrong; 403 the key is no agent's; 429 more than 3 attempts in 15 minutes.
    public func rotateOwnAPIKey(
        rotationSecret: String, idempotencyKey: String? = nil
    ) async throws(ClientError) -> RotatedCredentials {
        var call = creation(
            "/api/v1/agents/self/rotate-key", body: try encode(["rotationSecret": rotationSecret]),
            idempotencyKey: idempotencyKey)
        call.credential = .bearerAPIKey
        return try await answer(RotatedCredentials.self, to: call)
    }

    private static let root = "/api/v1/api-keys"
}

private struct NewAPIKey: Encodable {
    var label: String
    var description: String?
    var scopedIdentityID: String?
    var expiresAt: String?

    private enum CodingKeys: String, CodingKey {
        case label, description
        case scopedIdentityID = "scoped_identity_id"
        case expiresAt = "expires_at"
    }
}
