public import FoundationEssentials

/// API keys, and who the caller is (control plane §4 and §5).
extension CulvertClient {
    /// Mints an API key for one identity, with a rotation secret beside it, or one for some scopes in the whole organization.
    /// Both are shown this once.
    ///
    /// - Parameters:
    ///   - label: for people to tell keys apart.
    ///   - identityID: the id, not the handle, of the identity that the key acts for; without one and without scopes the key
    ///     would be an admin key, which servers refuse to mint over the API.
    ///   - expiresAt: from then on the key is refused; nil for a key that does not expire.
    ///   - scopes: all that the key is to do, such as `tunnels:read`; `tunnel:{name}:connect` is for an agent of one tunnel.
    ///     Nil for all that the identity may.
    ///   - allowedIPRanges: from where the key may be used, in CIDR notation; nil for everywhere.
    /// - Throws: 403 not an admin key, an admin key was asked for, or a key that could do more than the caller's; 422 no such
    ///   identity, or a value breaks a rule.
    public func createAPIKey(
        label: String, description: String? = nil, identityID: String?, expiresAt: Date? = nil, scopes: [String]? = nil,
        allowedIPRanges: [String]? = nil
    ) async throws(ClientError) -> CreatedAPIKey {
        let new = NewAPIKey(
            label: label, description: description, scopedIdentityID: identityID, expiresAt: expiresAt.map(ClientJSON.text),
            scopes: scopes, allowedIPRanges: allowedIPRanges)
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

    /// Puts a new key, shown this once, in the place of another one of the same owner, scopes, ranges and expiry.
    ///
    /// - Parameters:
    ///   - id: the old key's id.
    ///   - overlapHours: how long the old key goes on beside the new one, 0...168; with 0 it ends at once, and the agents that
    ///     it connected with it.
    /// - Throws: 403 not an admin key, or an admin key was to be rotated; 404; 409 the key has ended or was rotated already;
    ///   429 rotated too often.
    public func rotateAPIKey(id: String, overlapHours: Int = 0) async throws(ClientError) -> RotatedAPIKey {
        let path = "\(Self.root)/\(PercentEncoding.encode(id))/rotate"
        return try await answer(
            RotatedAPIKey.self, to: creation(path, body: encode(["overlap_hours": overlapHours])))
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

/// The tunnels that a caller may connect agents for, as far as it can see.
public struct ServableTunnels: Sendable, Hashable {
    public var tunnels: [TunnelRecord]
    /// The caller's key connects their agents, whether they have connect secrets or not.
    public var areConnectedByKey: Bool
}

extension CulvertClient {
    /// Every tunnel that the caller sees; for a key that may see none, those that its scopes connect agents for.
    ///
    /// - Throws: 403 the key may neither see tunnels nor connect agents for any.
    public func servableTunnels() async throws(ClientError) -> ServableTunnels {
        do {
            return ServableTunnels(tunnels: try await tunnels(), areConnectedByKey: false)
        } catch .refused(let refusal) where refusal.code == "insufficient-scope" {
            let tunnels = try await caller().connectableTunnels ?? []
            guard !tunnels.isEmpty else { throw .refused(refusal) }
            return ServableTunnels(tunnels: tunnels, areConnectedByKey: true)
        } catch {
            throw error
        }
    }
}

private struct NewAPIKey: Encodable {
    var label: String
    var description: String?
    var scopedIdentityID: String?
    var expiresAt: String?
    var scopes: [String]?
    var allowedIPRanges: [String]?

    private enum CodingKeys: String, CodingKey {
        case label, description, scopes
        case allowedIPRanges = "allowed_ip_ranges"
        case scopedIdentityID = "scoped_identity_id"
        case expiresAt = "expires_at"
    }
}
