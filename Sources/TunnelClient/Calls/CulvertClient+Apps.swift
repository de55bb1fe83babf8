/// The apps of the organization (control plane §6).
extension CulvertClient {
    /// Creates an app; the client secret in the answer is shown this once.
    ///
    /// - Parameter scopes: what it may do; at least one.
    /// - Throws: 403 without an admin key; 422 the name or a scope breaks a rule.
    public func createApp(named name: String, scopes: [AppRecord.Scope]) async throws(ClientError) -> CreatedApp {
        try await answer(CreatedApp.self, to: creation(Self.root, body: encode(NewApp(name: name, scopes: scopes))))
    }

    /// Every app, newest first.
    public func apps() async throws(ClientError) -> [AppRecord] {
        try await list(AppList.self, at: Self.root).collect()
    }

    /// One app.
    ///
    /// - Throws: 404 when the organization has no such app.
    public func app(clientID: String) async throws(ClientError) -> AppRecord {
        try await answer(AppRecord.self, to: .get(Self.path(clientID)))
    }

    /// Deletes an app: its credential is refused from the next request on.
    ///
    /// - Throws: 403 without an admin key; 404.
    public func deleteApp(clientID: String) async throws(ClientError) {
        try await acknowledgement(of: Call(method: "DELETE", path: Self.path(clientID)))
    }

    /// Replaces an app's client secret; the old one is refused from this moment on.
    ///
    /// - Returns: the new secret, 64 hexadecimal digits, shown this once.
    /// - Throws: 403 without an admin key; 404.
    public func rotateClientSecret(ofApp clientID: String) async throws(ClientError) -> String {
        var call = creation(Self.path(clientID) + "/rotate-client-secret")
        call.credential = .bearerAPIKey
        return try await answer(NewClientSecret.self, to: call).clientSecret
    }

    private static let root = "/api/v1/apps"

    private static func path(_ clientID: String) -> String { "\(root)/\(PercentEncoding.encode(clientID))" }
}

private struct NewApp: Encodable {
    var name: String
    var scopes: [AppRecord.Scope]
}

private struct AppList: ListDocument {
    var apps: [AppRecord]
    var nextCursor: String?

    var items: [AppRecord] { apps }

    private enum CodingKeys: String, CodingKey {
        case apps
        case nextCursor = "next_cursor"
    }
}

private struct NewClientSecret: Decodable {
    var clientSecret: String
}
