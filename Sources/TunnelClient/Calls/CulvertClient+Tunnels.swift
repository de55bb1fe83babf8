/// The tunnels of the organization (control plane §3).
extension CulvertClient {
    /// Creates a tunnel; the connect secret in the answer is shown this once.
    ///
    /// - Parameters:
    ///   - name: 3...63 characters of `a-z 0-9 -`; the first label of the public host.
    ///   - description: at most 1,000 characters.
    ///   - tlsMode: fixed for the life of the tunnel.
    /// - Throws: 409 the name is taken or reserved; 422 the name or description breaks a rule; 429 too many were created.
    public func createTunnel(
        named name: String, description: String? = nil, tlsMode: TunnelRecord.TLSMode = .edge
    ) async throws(ClientError) -> CreatedTunnel {
        let body = try encode(NewTunnel(tunnelName: name, description: description, tlsMode: tlsMode))
        return try await answer(CreatedTunnel.self, to: creation(Self.root, body: body))
    }

    /// Every tunnel that is not deleted, newest first.
    public func tunnels() async throws(ClientError) -> [TunnelRecord] {
        try await list(TunnelList.self, at: Self.root).collect()
    }

    /// One tunnel.
    ///
    /// - Throws: 404 when the organization has no such tunnel.
    public func tunnel(id: String) async throws(ClientError) -> TunnelRecord {
        try await answer(TunnelRecord.self, to: .get(Self.path(id)))
    }

    /// The tunnel with this name, or nil.
    public func tunnel(named name: String) async throws(ClientError) -> TunnelRecord? {
        try await tunnels().first { $0.tunnelName == name }
    }

    /// Changes what may change.
    ///
    /// - Throws: 404; 409 the tunnel is being deleted; 422 description over 1,000 characters or metadata over 4 KiB.
    public func updateTunnel(id: String, _ change: TunnelChange) async throws(ClientError) -> TunnelRecord {
        let body = try encode(change)
        return try await answer(TunnelRecord.self, to: Call(method: "PATCH", path: Self.path(id), body: body))
    }

    /// Stops the tunnel at once and deletes it in 24 hours; until then it can be restored.
    ///
    /// - Throws: 404; 409 when the tunnel belongs to an identity (delete that).
    public func deleteTunnel(id: String) async throws(ClientError) -> TunnelRecord {
        try await answer(TunnelRecord.self, to: Call(method: "DELETE", path: Self.path(id)))
    }

    /// Takes a deletion back.
    ///
    /// - Throws: 404; 409 when the tunnel is not being deleted, or 24 hours have passed.
    public func restoreTunnel(id: String) async throws(ClientError) -> TunnelRecord {
        try await answer(TunnelRecord.self, to: Call(method: "POST", path: Self.path(id) + "/restore"))
    }

    /// Ends the 24 hours of a deletion now; the name is free at once.
    ///
    /// - Throws: 403 without an admin key; 404; 409 when the tunnel is not being deleted.
    public func forceDeleteTunnel(id: String) async throws(ClientError) -> TunnelRecord {
        try await answer(TunnelRecord.self, to: Call(method: "DELETE", path: Self.path(id) + "/force"))
    }

    /// Replaces the connect secret. A connected agent stays; the old secret is refused at its next hello.
    ///
    /// - Returns: the new secret, shown this once.
    /// - Throws: 404; 409 the tunnel is being deleted or belongs to an identity; 429 rotated too often.
    public func rotateConnectSecret(tunnelID: String) async throws(ClientError) -> String {
        try await answer(NewSecret.self, to: creation(Self.path(tunnelID) + "/rotate-secret")).connectSecret
    }

    /// Has a certificate signed for a passthrough tunnel.
    ///
    /// - Parameter csrPEM: a PKCS #10 request (RFC 2986) in PEM whose names are exactly the public host.
    /// - Throws: 400 the request may not be signed, and why; 404; 409 not a passthrough tunnel; 429 signed too often.
    public func signCSR(tunnelID: String, csrPEM: String) async throws(ClientError) -> SignedCertificate {
        let body = try encode(SigningRequest(csrPEM: csrPEM))
        return try await answer(SignedCertificate.self, to: creation(Self.path(tunnelID) + "/sign-csr", body: body))
    }

    /// Where the server listens for agents and third parties; nil when it does not say.
    public func serviceDescription() async throws(ClientError) -> ServiceDescription? {
        do {
            var call = Call.get("/.well-known/culvert")
            call.credential = .none
            return try await answer(ServiceDescription.self, to: call)
        } catch .refused(let refusal) where (400...499).contains(refusal.status) && refusal.status != 429 {
            return nil
        } catch .unusableAnswer {
            return nil
        }
    }

    private static let root = "/api/v1/tunnels"

    private static func path(_ id: String) -> String { "\(root)/\(PercentEncoding.encode(id))" }
}

// MARK: - Bodies that are only wrappers

private struct NewTunnel: Encodable {
    var tunnelName: String
    var description: String?
    var tlsMode: TunnelRecord.TLSMode

    private enum CodingKeys: String, CodingKey {
        case tunnelName = "tunnel_name"
        case description
        case tlsMode = "tls_mode"
    }
}

private struct TunnelList: ListDocument {
    var tunnels: [TunnelRecord]
    var nextCursor: String?

    var items: [TunnelRecord] { tunnels }

    private enum CodingKeys: String, CodingKey {
        case tunnels
        case nextCursor = "next_cursor"
    }
}

private struct NewSecret: Decodable {
    var connectSecret: String

    private enum CodingKeys: String, CodingKey { case connectSecret = "connect_secret" }
}

private struct SigningRequest: Encodable {
    var csrPEM: String

    private enum CodingKeys: String, CodingKey { case csrPEM = "csr_pem" }
}
