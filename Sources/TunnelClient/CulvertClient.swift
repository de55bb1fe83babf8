internal import FoundationEssentials

/// Calls the REST API of a Culvert server, or of any server with the same contract (control plane §3).
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
    private let apiKey: APIKeySource
    private let transport: any ClientTransport
    private let retries: RetryPolicy
    private let userAgent: String
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

// MARK: - One call

extension CulvertClient {
    /// One call of the API, before it is a request.
    struct Call {
        enum Repeat {
            case never, always
            case withIdempotencyKey(String)
        }

        var method: String
        var path: String
        var body: [UInt8]?
        var repeating: Repeat = .never
        var needsKey = true
    }

    /// Makes the call and reads its answer.
    func answer<Answer: Decodable>(_ type: Answer.Type, to call: Call) async throws(ClientError) -> Answer {
        let response = try await perform(call)
        do {
            return try ClientJSON.decoder().decode(type, from: Data(response.body))
        } catch {
            throw .unusableAnswer(status: response.status, reason: Self.explain(error))
        }
    }

    /// The bytes of a request body.
    func encode(_ body: some Encodable) throws(ClientError) -> [UInt8] {
        do {
            return Array(try ClientJSON.encoder().encode(body))
        } catch {
            throw .refused(ServerRefusal(status: 422, detail: "the request cannot be written as JSON: \(Self.explain(error))"))
        }
    }

    private func perform(_ call: Call) async throws(ClientError) -> ClientResponse {
        let request = try await request(for: call)
        var attempt = 1
        while true {
            let failure: ClientError
            do {
                return try await sendOnce(request)
            } catch {
                failure = error
            }
            guard call.mayRepeat, let pause = retries.pause(afterAttempt: attempt, failure: failure) else { throw failure }
            do { try await chance.sleep(pause) } catch { throw .cancelled }
            attempt += 1
        }
    }

    private func sendOnce(_ request: ClientRequest) async throws(ClientError) -> ClientResponse {
        let response: ClientResponse
        do {
            response = try await transport.send(request)
        } catch let failure as TransportFailure {
            throw .noAnswer(failure)
        } catch is CancellationError {
            throw .cancelled
        } catch {
            throw .noAnswer(.connectionLost(reason: "\(error)"))
        }
        if response.status >= 400 { throw .refused(ServerRefusal(response)) }
        guard (200...299).contains(response.status) else {
            throw .unusableAnswer(status: response.status, reason: "a redirection; this API has none. Is the server URL right?")
        }
        return response
    }

    private func request(for call: Call) async throws(ClientError) -> ClientRequest {
        var fields: [(name: String, value: String)] = [("accept", "application/json"), ("user-agent", userAgent)]
        if call.needsKey { fields.append(("x-api-key", try await apiKey.key())) }
        if call.body != nil { fields.append(("content-type", "application/json")) }
        if case .withIdempotencyKey(let key) = call.repeating { fields.append(("idempotency-key", key)) }
        return ClientRequest(
            server: server, method: call.method, target: server.basePath + call.path, fields: fields, body: call.body ?? [])
    }

    /// Says in a few words which member of an answer was wrong.
    private static func explain(_ error: any Error) -> String {
        switch error {
        case DecodingError.keyNotFound(let key, _): "the member \"\(key.stringValue)\" is missing"
        case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context):
            "the member \"\(context.codingPath.map(\.stringValue).joined(separator: "."))\" has the wrong type"
        case DecodingError.dataCorrupted(let context): "it is not the expected JSON: \(context.debugDescription)"
        default: "it is not the expected JSON"
        }
    }
}

extension CulvertClient.Call {
    var mayRepeat: Bool {
        switch repeating {
        case .never: false
        case .always, .withIdempotencyKey: true
        }
    }
}
