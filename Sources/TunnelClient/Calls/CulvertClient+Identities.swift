/// The identities of the organization (control plane §4).
extension CulvertClient {
    /// Creates an identity and its tunnel.
    ///
    /// - Parameters:
    ///   - handle: 3...63 characters of `a-z 0-9 -`; a leading `@` and capitals are tidied up by the server.
    ///   - description: at most 1,000 characters.
    ///   - tlsMode: of its tunnel, fixed for life; nil takes the server's default.
    /// - Throws: 403 without an admin key; 409 the handle is taken (code `agent_handle_unavailable`) or reserved; 422 a value
    ///   breaks a rule; 429 too many tunnels were created.
    public func createIdentity(
        handle: String, displayName: String? = nil, description: String? = nil, tlsMode: TunnelRecord.TLSMode? = nil
    ) async throws(ClientError) -> IdentityRecord {
        let new = NewIdentity(
            agentHandle: handle, displayName: displayName, description: description,
            tunnel: tlsMode.map { NewIdentity.Tunnel(tlsMode: $0) })
        return try await answer(IdentityRecord.self, to: creation(Self.root, body: encode(new)))
    }

    /// Every identity that the key may see, newest first.
    public func identities() async throws(ClientError) -> [IdentityRecord] {
        try await bareList(IdentityRecord.self, at: Self.root).collect()
    }

    /// One identity.
    ///
    /// - Throws: 404 when the key sees no such identity.
    public func identity(handle: String) async throws(ClientError) -> IdentityRecord {
        try await answer(IdentityRecord.self, to: .get(Self.path(handle)))
    }

    /// Changes what may change. A new handle renames the tunnel; the agent stays connected.
    ///
    /// - Throws: 404; 409 the new handle is taken; 422 a value breaks a rule.
    public func updateIdentity(handle: String, _ change: IdentityChange) async throws(ClientError) -> IdentityRecord {
        try await answer(IdentityRecord.self, to: Call(method: "PATCH", path: Self.path(handle), body: encode(change)))
    }

    /// Deletes the identity, its tunnel and its keys, at once and for good.
    ///
    /// - Throws: 403 without an admin key; 404.
    public func deleteIdentity(handle: String) async throws(ClientError) {
        try await acknowledgement(of: Call(method: "DELETE", path: Self.path(handle)))
    }

    /// Makes the identity's webhook signing key, or replaces the one there is.
    ///
    /// - Returns: the key, shown this once.
    /// - Throws: 404.
    public func rotateSigningKey(ofIdentity handle: String) async throws(ClientError) -> NewSigningKey {
        try await answer(NewSigningKey.self, to: creation(Self.path(handle) + "/signing-key", body: Array("{}".utf8)))
    }

    /// Whether the identity has a webhook signing key.
    ///
    /// - Throws: 404.
    public func signingKeyStatus(ofIdentity handle: String) async throws(ClientError) -> SigningKeyStatus {
        try await answer(SigningKeyStatus.self, to: .get(Self.path(handle) + "/signing-key"))
    }

    private static let root = "/api/v1/identities"

    private static func path(_ handle: String) -> String { "\(root)/\(PercentEncoding.encode(handle))" }
}

private struct NewIdentity: Encodable {
    struct Tunnel: Encodable {
        var tlsMode: TunnelRecord.TLSMode

        private enum CodingKeys: String, CodingKey { case tlsMode = "tls_mode" }
    }

    var agentHandle: String
    var displayName: String?
    var description: String?
    var tunnel: Tunnel?

    private enum CodingKeys: String, CodingKey {
        case description, tunnel
        case agentHandle = "agent_handle"
        case displayName = "display_name"
    }
}
