internal import FoundationEssentials

/// Calls the REST API of a Culvert server, or of any server with the same contract (control plane §3 to §7).
///
/// Every method sends one request, repeats it only where that is safe (see ``RetryPolicy``), and throws ``ClientError``.
///
/// ```swift
/// let client = CulvertClient(
///     server: try ServerURL(validating: "https://tunnels.example"), apiKey: .fixed(key), transport: try NetworkTransport())
/// let created = try await client.createTunnel(named: "my-agent")
/// ```
public struct CulvertClient: Sendable {
    public let server: ServerURL
    let apiKey: APIKeySource
    let transport: any ClientTransport
    let retries: RetryPolicy
    let userAgent: String
    let chance: Chance

    /// What the client cannot decide for itself: how to wait, and which number comes next.
    package struct Chance: Sendable {
        package var sleep: @Sendable (Duration) async throws -> Void
        package var idempotencyKey: @Sendable () -> String

        package init(
            sleep: @escaping @Sendable (Duration) async throws -> Void, idempotencyKey: @escaping @Sendable () -> String
        ) {
            self.sleep = sleep
            self.idempotencyKey = idempotencyKey
        }

        /// Real time, and a UUID from the system's randomness.
        package static let system = Chance(
            sleep: { try await Task.sleep(for: $0) }, idempotencyKey: { UUID().uuidString.lowercased() })
    }

    /// A client of one server with one key.
    ///
    /// - Parameters:
    ///   - server: where the API is.
    ///   - apiKey: asked before each request.
    ///   - transport: carries the requests; ``NetworkTransport`` is the real one.
    ///   - retries: when a failed request is sent once more.
    ///   - userAgent: the `User-Agent` field of every request.
    public init(
        server: ServerURL, apiKey: APIKeySource, transport: any ClientTransport, retries: RetryPolicy = RetryPolicy(),
        userAgent: String = "culvert-client"
    ) {
        self.init(
            server: server, apiKey: apiKey, transport: transport, retries: retries, userAgent: userAgent, chance: .system)
    }

    package init(
        server: ServerURL, apiKey: APIKeySource, transport: any ClientTransport, retries: RetryPolicy,
        userAgent: String = "culvert-client", chance: Chance
    ) {
        self.server = server
        self.apiKey = apiKey
        self.transport = transport
        self.retries = retries
        self.userAgent = userAgent
        self.chance = chance
    }
}
