import Foundation
import HTTPTransport
import LinuxIO
import TLS
import TestSupport
import TunnelDomain
import TunnelEdge
import TunnelService
import TunnelWire

/// The edge on two loops over memory ports, with an organization; clients live on a loop of their own.
struct EdgeFixture: Sendable {
    let store = MemoryStore()
    let clock = ManualClock()
    let log = EdgeNotes()
    let doors: [EventLoop]
    let clients: EventLoop
    let directory: TunnelDirectory
    let ports: ServicePorts
    let rules: ServiceRules
    let home: CreateOrganization.Created
    let edge: Edge
    /// Where the clear-text listener is.
    let address: SocketAddress
    private let client: HTTPClient

    private init(tls: TLSContext?, _ change: (inout EdgeSettings) -> Void) async throws {
        doors = [try EventLoop(index: 0), try EventLoop(index: 1)]
        clients = try EventLoop(index: 2)
        directory = TunnelDirectory(doors: doors)
        ports = ServicePorts(
            store: store, clock: clock, randomness: MemoryRandomness(), hasher: MemoryHasher(), sealer: MemorySealer(),
            issuer: nil, events: EdgeEvents(directory: directory, clock: clock), presence: directory)
        let zone = try Zone(validating: "localhost")
        rules = ServiceRules(zone: zone)
        home = try await CreateOrganization(ports: ports)()
        var settings = EdgeSettings(zone: zone)
        settings.waitPatiently()
        change(&settings)
        edge = try await Edge(
            EdgeParts(
                settings: settings, directory: directory, registry: AgentRegistry(ports: ports), api: EchoAPI(), log: log,
                tls: tls))
        address = try await EdgeFixture.listen(edge, for: .clearText)
        client = try HTTPClient(eventLoop: clients, trust: nil)
    }

    /// Runs the test with a fixture, and ends its threads afterwards.
    static func run(
        tls: TLSContext? = nil, _ change: (inout EdgeSettings) -> Void = { _ in }, _ body: (EdgeFixture) async throws -> Void
    ) async throws {
        let fixture = try await EdgeFixture(tls: tls, change)
        defer { (fixture.doors + [fixture.clients]).forEach { $0.stop() } }
        try await body(fixture)
    }

    static func listen(_ edge: Edge, for purpose: ListenerPurpose) async throws -> SocketAddress {
        let descriptor = try Socket.listen(on: .loopback(port: 0))
        let address = try Socket.localAddress(descriptor.number)
        // The listeners use it for as long as the process lives.
        try await edge.listen(on: descriptor.release(), for: purpose)
        return address
    }

    // MARK: The control plane

    var admin: CallContext {
        CallContext(principal: home.keyRecord.principal, actor: home.keyRecord.actor, ip: "192.0.2.7", requestID: "req-1")
    }

    func createTunnel(_ name: String = "my-agent", tlsMode: TLSMode = .edge) async throws -> TestTunnel {
        let request = CreateTunnel.Request(name: try TunnelName(validating: name), tlsMode: tlsMode)
        let created = try await ports.commit { store, now in
            try CreateTunnel(ports: ports, rules: rules).decide(request, by: admin, in: store, at: now)
        }
        return TestTunnel(tunnel: created.snapshot.tunnel, secret: created.connectSecret)
    }

    /// A passthrough tunnel with a certificate on file.
    func activePassthroughTunnel(_ name: String = "sealed") async throws -> TestTunnel {
        let tunnel = try await createTunnel(name, tlsMode: .passthrough)
        let certificate = TunnelCertificate(
            pem: "-\n", chainPEM: "", fingerprintSHA256: "",
            validity: CertificateValidity(notBefore: clock.now, notAfter: clock.now + .days(90)))
        _ = try await ports.commit { store, now in
            try SignCSR(ports: ports, rules: rules).decide(tunnel.tunnel.id, certificate, by: admin, in: store, at: now)
        }
        return tunnel
    }

    func delete(_ tunnel: TestTunnel) async throws {
        _ = try await ports.commit { try DeleteTunnel(ports: ports).decide(tunnel.tunnel.id, by: admin, in: $0, at: $1) }
    }

    func restore(_ tunnel: TestTunnel) async throws {
        _ = try await ports.commit { try RestoreTunnel(ports: ports).decide(tunnel.tunnel.id, by: admin, in: $0, at: $1) }
    }

    func rotateSecret(_ tunnel: TestTunnel) async throws -> String {
        try await ports.commit {
            try RotateConnectSecret(ports: ports, rules: rules).decide(tunnel.tunnel.id, by: admin, in: $0, at: $1)
        }.connectSecret
    }

    // MARK: Clients

    /// A third party's request over HTTP/1.1, on a connection of its own.
    func get(
        _ target: String = "/", host: String, method: String = "GET", _ fields: [(String, String)] = [], body: [UInt8] = [],
        at address: SocketAddress? = nil
    ) async throws -> BufferedResponse {
        var head = HTTPRequestHead(method: method, target: target, authority: "")
        for (name, value) in fields { head.fields.append(name: name, value: value) }
        return try await client.send(
            head, body: body, to: HTTPEndpoint(address: address ?? self.address, host: host, isTLS: false))
    }

    /// A third party with a connection that speaks HTTP/2.
    func thirdParty() async throws -> EdgeClient { try await EdgeClient.connect(to: address, on: clients) }

    /// A third party whose connection has come to the tunnel's loop, so that it may ask for several things at once.
    func thirdParty(of tunnel: TestTunnel) async throws -> EdgeClient {
        let client = try await thirdParty()
        _ = try await client.call("TRACE", "/", host: tunnel.host).answer()
        return client
    }

    /// Holds the edge's loops while clients act: what the clients have sent by the end comes to a loop in one turn, in the
    /// order in which it was sent.
    func whileLoopsWait(_ act: () async throws -> Void) async throws {
        let gate = DispatchSemaphore(value: 0)
        for door in doors { door.execute { _ in gate.wait() } }
        defer { doors.forEach { _ in gate.signal() } }
        try await act()
        try await clientsHaveSent()
    }

    /// Waits until what clients were told to send has been sent.
    func clientsHaveSent() async throws {
        // What is written in a turn leaves at its end, and this is a later one.
        try await clients.run { _ in }
        try await clients.run { _ in }
    }

    /// An agent that has connected and not said hello.
    func connect(_ tunnel: TestTunnel, headerListByteCountMax: Int? = nil) async throws -> TestAgent {
        TestAgent(
            tunnel: tunnel,
            client: try await EdgeClient.connect(
                to: address, on: clients, headerListByteCountMax: headerListByteCountMax))
    }

    /// An agent that has said hello.
    func agent(
        of tunnel: TestTunnel, features: String? = nil, headerListByteCountMax: Int? = nil
    ) async throws -> TestAgent {
        var agent = try await connect(tunnel, headerListByteCountMax: headerListByteCountMax)
        let answer = try await agent.hello(features: features)
        guard answer.status == 200 else { throw HelloRefused(answer: answer) }
        return agent
    }

    struct HelloRefused: Error { var answer: Answer }
}

/// A tunnel with the secret that its agent knows.
struct TestTunnel: Sendable {
    var tunnel: Tunnel
    var secret: String
    var host: String { "\(tunnel.name.text).localhost" }
    var id: String { tunnel.id.text }
}

/// The name and the trust that a client of the TLS listener goes by.
struct TLSTrust: Sendable {
    var context: TLSContext
    var serverName: String
}

/// What the edge wrote into its log.
final class EdgeNotes: EdgeLog {
    let journal = Journal<String>()

    func note(_ event: String, _ details: [(String, String)]) {
        journal.add(([event] + details.map { "\($0.0)=\($0.1)" }).joined(separator: " "))
    }
}

/// A stand-in for the REST API that says what it was asked.
struct EchoAPI: BufferedRequestHandler {
    func respond(to request: BufferedRequest) async -> BufferedResponse {
        let size = request.isBodyTooLarge ? "too large" : "\(request.body.count)"
        return BufferedResponse(status: 200, body: Array("\(request.head.method) \(request.head.target) \(size)".utf8))
    }
}

extension EdgeSettings {
    /// No time limit ends anything unless a test says so.
    fileprivate mutating func waitPatiently() {
        thirdParty.waitPatiently()
        zoneHTTP.waitPatiently()
        zoneHTTP.http2.pingIntervalSeconds = 0
        helloSecondsMax = 600
        apiBodySecondsMax = 600
        webSocket.bindSecondsMax = 600
        passthrough.bindSecondsMax = 600
        pool.queueWait = .seconds(600)
        pool.responseDeadline = .seconds(600)
        pool.intakeIdle = .seconds(600)
    }
}
