import HTTPTransport
import Synchronization
import TestSupport
import TunnelAPI
import TunnelDomain
import TunnelService
import TunnelWire

/// The REST API over memory ports, with two organizations and a clock that a test moves.
struct APIHarness: Sendable {
    let store = MemoryStore()
    let clock = ManualClock()
    let events = MemoryEvents()
    let presence = MemoryPresence()
    let readiness = FixedReadiness()
    let faults = FaultLog()
    let ports: ServicePorts
    let rules: ServiceRules
    private(set) var api: ControlPlaneAPI
    let home: CreateOrganization.Created
    let foreign: CreateOrganization.Created

    init(
        issuer: MemoryIssuer? = nil, seed: UInt64 = 1,
        rules: ServiceRules? = nil, sealer: MemorySealer = MemorySealer()
    ) async throws {
        ports = ServicePorts(
            store: store, clock: clock, randomness: MemoryRandomness(seed: seed), hasher: MemoryHasher(), sealer: sealer,
            issuer: issuer, events: events, presence: presence)
        self.rules = try rules ?? ServiceRules(zone: Zone(validating: "localhost"))
        api = ControlPlaneAPI(
            ports: ports, rules: self.rules, readiness: readiness, metrics: NoMetrics(), instant: { [clock] in clock.instant },
            noteFault: { [faults] in faults.note($0, $1) })
        home = try await CreateOrganization(ports: ports)(label: "home")
        foreign = try await CreateOrganization(ports: ports)(label: "foreign")
    }
}

extension APIHarness {
    /// The same service with another front.
    func with(_ api: ControlPlaneAPI) -> APIHarness {
        var other = self
        other.api = api
        return other
    }
}

extension ServicePorts {
    func with(sealer: any Sealer) -> ServicePorts {
        ServicePorts(
            store: store, clock: clock, randomness: randomness, hasher: hasher, sealer: sealer, issuer: issuer,
            events: events, presence: presence)
    }
}

/// What a test sends instead of the home organization's key.
enum Credential: Sendable {
    case key(String)
    case bearer(String)
    case basic(String, String)
    case none
}

/// What came back.
struct Reply: Sendable {
    let status: Int
    let fields: HTTPFields
    let body: [UInt8]
    let json: JSONValue

    init(_ response: BufferedResponse) throws {
        status = response.head.status
        fields = response.head.fields
        body = response.body
        let isJSON = fields.first(.contentType)?.contains("json") == true
        json = isJSON && !body.isEmpty ? try JSONValue(parsing: body) : .null
    }

    subscript(name: String) -> String? { fields.first(named: name) }
    var text: String { String(decoding: body, as: UTF8.self) }
    var detail: String { json["detail"]?.stringValue ?? "" }

    /// The pointers of a 422, in order.
    var pointers: [String] {
        guard case .array(let errors) = json["errors"] else { return [] }
        return errors.compactMap { $0["pointer"]?.stringValue }
    }
}

extension APIHarness {
    /// Sends a request; without a credential in the arguments it carries the home organization's key.
    func send(
        _ method: String, _ path: String, _ body: String = "", as credential: Credential? = nil,
        fields: [(String, String)] = [], from address: String = "192.0.2.7"
    ) async throws -> Reply {
        try await send(method, path, bytes: Array(body.utf8), as: credential, fields: fields, from: address)
    }

    func send(
        _ method: String, _ path: String, bytes: [UInt8], as credential: Credential? = nil, fields: [(String, String)] = [],
        from address: String = "192.0.2.7"
    ) async throws -> Reply {
        var head = HTTPRequestHead(method: method, target: path, authority: "localhost")
        switch credential ?? .key(home.apiKey) {
        case .key(let key): head.fields.append("x-api-key", key)
        case .bearer(let key): head.fields.append("authorization", "Bearer " + key)
        case .basic(let id, let secret):
            head.fields.append("authorization", "Basic " + Base64.encode(Array("\(id):\(secret)".utf8)))
        case .none: break
        }
        for (name, value) in fields { head.fields.append(name: name, value: value) }
        let request = BufferedRequest(
            head: head, body: bytes, peer: Peer(address: address, isTLS: true, isLoopback: false), requestID: "req-1")
        return try Reply(await api.respond(to: request))
    }

    /// Makes a tunnel over the API, and gives its id and secret.
    func createTunnel(_ name: String, tlsMode: TLSMode = .edge) async throws -> (id: String, secret: String) {
        let reply = try await send("POST", "/api/v1/tunnels", #"{"tunnel_name":"\#(name)","tls_mode":"\#(tlsMode.rawValue)"}"#)
        guard reply.status == 201, let id = reply.json["tunnel"]?["id"]?.stringValue,
            let secret = reply.json["connect_secret"]?.stringValue
        else { throw UnexpectedReply(text: reply.text) }
        return (id, secret)
    }

    /// Makes an app over the API.
    func createApp(scopes: Set<Scope>, as credential: Credential? = nil) async throws -> TestApp {
        let list = scopes.names.map { #""\#($0)""# }.joined(separator: ",")
        let reply = try await send("POST", "/api/v1/apps", #"{"name":"test app","scopes":[\#(list)]}"#, as: credential)
        guard reply.status == 201, let id = reply.json["client_id"]?.stringValue,
            let secret = reply.json["client_secret"]?.stringValue
        else { throw UnexpectedReply(text: reply.text) }
        return TestApp(id: id, secret: secret)
    }

    /// Makes an identity and a key of it over the API.
    func createIdentity(_ handle: String) async throws -> NewAgent {
        let identity = try await send("POST", "/api/v1/identities", #"{"agent_handle":"\#(handle)"}"#)
        guard let id = identity.json["id"]?.stringValue, let tunnelID = identity.json["tunnel"]?["id"]?.stringValue else {
            throw UnexpectedReply(text: identity.text)
        }
        let new = try await send("POST", "/api/v1/api-keys", #"{"label":"\#(handle)","scoped_identity_id":"\#(id)"}"#)
        guard let key = new.json["api_key"]?.stringValue, let secret = new.json["rotation_secret"]?.stringValue,
            let keyID = new.json["record"]?["id"]?.stringValue
        else { throw UnexpectedReply(text: new.text) }
        return NewAgent(id: id, tunnelID: tunnelID, key: key, rotationSecret: secret, keyID: keyID)
    }

    /// Puts a tunnel of an identity into the store, and gives its id and a key of that identity.
    func arrangeIdentityTunnel(_ name: String) throws -> (id: String, key: String) {
        let identityID = IdentityID(randomBytes: ports.randomness.bytes(16))
        let tunnel = try Tunnel.create(
            id: TunnelID(randomBytes: ports.randomness.bytes(16)), organizationID: home.organization.id,
            identityID: identityID, name: TunnelName(validating: name), connectSecretHash: nil, at: clock.now)
        let key = SecretFormat.apiKey(randomBytes: ports.randomness.bytes(32))
        let record = APIKeyRecord(
            id: UUIDValue(randomBytes: ports.randomness.bytes(16)), organizationID: home.organization.id,
            scopedIdentityID: identityID, label: "agent", hash: ports.hasher.hash(ofSecret: key), displayPrefix: "",
            last4: "", createdBy: "test", createdAt: clock.now, updatedAt: clock.now)
        store.arrange {
            $0.tunnels[tunnel.id] = tunnel
            $0.apiKeys.append(record)
        }
        return (tunnel.id.text, key)
    }
}

/// An app and the only copy of its secret.
struct TestApp: Sendable {
    let id: String
    let secret: String

    var credential: Credential { .basic(id, secret) }
}

/// An identity with the credentials that its agent was given.
struct NewAgent: Sendable {
    let id: String
    let tunnelID: String
    let key: String
    let rotationSecret: String
    let keyID: String
}

struct UnexpectedReply: Error { let text: String }

/// Answers as a test set it.
final class FixedReadiness: Readiness {
    private let checks = Mutex([ReadinessCheck("store"), ReadinessCheck("listeners")])

    func set(_ new: [ReadinessCheck]) { checks.withLock { $0 = new } }
    func check() async -> [ReadinessCheck] { checks.withLock { $0 } }
}

/// Remembers the faults that the API noted.
final class FaultLog: Sendable {
    private let entries = Mutex<[String]>([])

    var all: [String] { entries.withLock { $0 } }
    func note(_ requestID: String, _ fault: any Error) { entries.withLock { $0.append("\(requestID) \(fault)") } }
}

/// The rest of a service that has nothing to tell.
struct NoMetrics: MetricsSource {
    func add(to page: inout MetricPage) async {}
}
