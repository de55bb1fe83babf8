internal import Synchronization
internal import TunnelClient

/// Answers each request with the next step of a script, and keeps what was sent.
final class ScriptedTransport: ClientTransport {
    enum Step: Sendable {
        case answer(ClientResponse)
        case fail(TransportFailure)
        /// A stream of events: its pieces, and how it ends.
        case stream([String], then: StreamEnd)

        enum StreamEnd: Sendable {
            case inGoodOrder
            case lost(TransportFailure)
            /// Nothing more comes until the task is cancelled.
            case never
        }

        static func json(_ status: Int, _ body: String, fields: [(String, String)] = []) -> Step {
            .answer(ClientResponse(status: status, fields: fields.map { ($0.0, $0.1) }, body: Array(body.utf8)))
        }
    }

    private struct State {
        var steps: [Step]
        var sent: [ClientRequest] = []
    }

    private let state: Mutex<State>

    init(_ steps: [Step]) { state = Mutex(State(steps: steps)) }

    var sent: [ClientRequest] { state.withLock { $0.sent } }

    func send(_ request: ClientRequest) async throws -> ClientResponse {
        switch next(request) {
        case .answer(let response): return response
        case .fail(let failure): throw failure
        case .stream: throw TransportFailure.connectionLost(reason: "the script has a stream where a call was made")
        case nil: throw TransportFailure.connectionLost(reason: "the script has no further step")
        }
    }

    func stream(_ request: ClientRequest) async throws -> StreamedResponse {
        switch next(request) {
        case .answer(let answer):
            return StreamedResponse(
                status: answer.status, fields: answer.fields, body: ScriptedBody([answer.body], .inGoodOrder))
        case .fail(let failure): throw failure
        case .stream(let pieces, let end):
            return StreamedResponse(
                status: 200, fields: [("content-type", "text/event-stream; charset=utf-8")],
                body: ScriptedBody(pieces.map { Array($0.utf8) }, end))
        // A script without a next step has no failure that could pass.
        case nil: throw TransportFailure.untrustedCertificate(reason: "the script has no further step")
        }
    }

    private func next(_ request: ClientRequest) -> Step? {
        state.withLock { state in
            state.sent.append(request)
            return state.steps.isEmpty ? nil : state.steps.removeFirst()
        }
    }
}

/// The pieces of a body, as the script has them.
final class ScriptedBody: StreamedBody {
    private let pieces: Mutex<[[UInt8]]>
    private let end: ScriptedTransport.Step.StreamEnd

    init(_ pieces: [[UInt8]], _ end: ScriptedTransport.Step.StreamEnd) {
        self.pieces = Mutex(pieces.filter { !$0.isEmpty })
        self.end = end
    }

    func next() async throws -> [UInt8]? {
        if let piece = pieces.withLock({ $0.isEmpty ? nil : $0.removeFirst() }) { return piece }
        switch end {
        case .inGoodOrder: return nil
        case .lost(let failure): throw failure
        case .never:
            try await Task.sleep(for: .seconds(3_600))
            return nil
        }
    }
}

/// Remembers the pauses instead of waiting for them.
final class RecordedPauses: Sendable {
    private let recorded = Mutex<[Duration]>([])

    var all: [Duration] { recorded.withLock { $0 } }

    func append(_ pause: Duration) { recorded.withLock { $0.append(pause) } }
}

/// A client on a script, with an API key and idempotency keys that a test can name.
struct ScriptedClient {
    let transport: ScriptedTransport
    let pauses = RecordedPauses()
    let client: CulvertClient

    init(_ steps: [ScriptedTransport.Step], server: String = "https://tunnels.example", retries: RetryPolicy = RetryPolicy())
        throws
    {
        let transport = ScriptedTransport(steps)
        let pauses = pauses
        self.transport = transport
        client = CulvertClient(
            server: try ServerURL(validating: server), apiKey: .fixed("ApiKey_test"), transport: transport, retries: retries,
            chance: CulvertClient.Chance(sleep: { pauses.append($0) }, idempotencyKey: { "key-1" }))
    }
}

/// The answers that the documentation of the two dialects gives as examples.
enum DocumentedAnswer {
    static let created = """
        {"tunnel": {"id": "t1b2c3d4-e5f6-7890-abcd-ef1234567890", "organization_id": "org_123", "tunnel_name": "my-agent",
          "description": "Production webhook receiver", "tls_mode": "edge", "cert_pem": null, "cert_fingerprint_sha256": null,
          "cert_expires_at": null, "status": "active", "last_connected_at": null, "last_connected_ip_addr": null,
          "restore_deadline_at": null, "currently_connected": false, "created_at": "2026-04-21T12:30:00Z",
          "updated_at": "2026-04-21T12:30:00Z"},
         "connect_secret": "tnl_8f3a92b1c4d5e6f7a8b9c0d1e2f3a4b5"}
        """
    static let listed = """
        {"tunnels": [{"id": "t1b2c3d4-e5f6-7890-abcd-ef1234567890", "tunnel_name": "my-agent", "tls_mode": "edge",
          "status": "active", "currently_connected": true, "last_connected_at": "2026-04-21T12:35:00Z",
          "...": "additional fields per Tunnel object"}]}
        """
    static let ofAnIdentity = """
        {"id": "0b0e7b3e-6f1b-4c69-9f6c-6f4a5b6c7d8e", "organization_id": "org_123",
         "agent_identity_id": "7a2d9c1e-0000-4000-8000-000000000001", "tunnel_name": "my-agent", "description": null,
         "metadata": {"team": "ops", "retries": 3, "ratio": 0.5, "on": true, "tags": ["a", null]}, "tls_mode": "passthrough",
         "status": "awaiting_cert", "public_host": "my-agent.inkboxwire.com", "zone": "inkboxwire.com",
         "last_disconnected_at": "2026-04-21T12:30:00.123456Z", "currently_connected": false,
         "created_at": "2026-04-21T12:30:00.5Z", "updated_at": "2026-04-21T12:30:00Z", "later_member": {"a": 1}}
        """
    static let rotated = #"{"connect_secret": "tnl_a4b3c2d1e0f9a8b7c6d5e4f3a2b1c0d9"}"#
}
