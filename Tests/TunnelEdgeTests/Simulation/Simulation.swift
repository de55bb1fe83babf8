import Foundation
@testable import HTTPTransport
import LinuxIO
import TestSupport
import TunnelDomain
@testable import TunnelEdge
import TunnelService
import TunnelWire

/// The real edge, with one tunnel, on a loop that is turned by hand: agents and third parties are real HTTP clients, the
/// network and the clocks are the simulation's.
final class Simulation {
    static let limits: IntakePool.Limits = {
        var limits = IntakePool.Limits()
        limits.queueMax = 3
        limits.poolSizeMax = 3
        limits.supersedesMax = 3
        return limits
    }()

    let door: EventLoop
    let loop: Loop
    let clock = ManualClock()
    let store = MemoryStore()
    let ports: ServicePorts
    let directory: TunnelDirectory
    let front: EdgeFront
    let organization: CreateOrganization.Created
    let tunnels: [SimulatedTunnel]
    /// The limits are small, so that lives reach them.
    let isNarrow: Bool

    var agents: [SimulatedAgent] = []
    var thirdParties: [SimulatedThirdParty] = []
    var requests: [SimulatedRequest] = []
    /// The agents that each request came to, in order.
    var takers: [Int: [SimulatedAgent]] = [:]
    var jobs: [SimulatedJob] = []
    /// The requests that agents were told to forget.
    var cancelled: Set<String> = []
    /// The tunnels that were ever deleted.
    var deletedTunnels: Set<Int> = []
    /// The service drains: it takes no more connections.
    private(set) var isDraining = false
    /// WebSockets were told that the service goes down.
    private(set) var wereWebSocketsClosed = false
    /// A request with a body that crosses an intake's cancellation on the wire reaches nobody, and ends by its deadline: the
    /// agent might have wanted the head alone.
    var wasIntakeTakenBack = false
    /// Some intake was reset, whatever the code.
    var wasIntakeReset = false
    /// Time passed while the network, or an agent, stood still with something that was to be read: with a reset before or
    /// after it, a request may have reached nobody, and its deadline may have come before the word of that.
    private(set) var wasHeldUp = false
    /// What has happened, in a number: the same for the same seed.
    private(set) var transcript: UInt64 = 0xCBF2_9CE4_8422_2325
    private var lastAgent = 0

    init(tunnelCount: Int = 1, isNarrow: Bool = false) throws {
        self.isNarrow = isNarrow
        (door, loop) = try EventLoop.turnedByHand(at: MonotonicInstant(nanoseconds: 1))
        directory = TunnelDirectory(doors: [door])
        ports = ServicePorts(
            store: store, clock: clock, randomness: MemoryRandomness(), hasher: MemoryHasher(), sealer: MemorySealer(),
            issuer: nil, events: MemoryEvents(), presence: directory)
        let zone = try Zone(validating: "localhost")
        var settings = EdgeSettings(zone: zone)
        settings.pool = Self.limits
        if isNarrow { settings.narrow() }
        front = EdgeFront(
            EdgeParts(
                settings: settings, directory: directory, registry: AgentRegistry(ports: ports), api: EchoAPI(),
                log: EdgeNotes(), tls: nil),
            on: loop)
        let (ports, rules) = (ports, ServiceRules(zone: zone))
        let (organization, made) = try waiting {
            let organization = try await CreateOrganization(ports: ports)()
            let admin = CallContext(
                principal: organization.keyRecord.principal, actor: organization.keyRecord.actor, ip: "192.0.2.7",
                requestID: "req-1")
            var made: [CreateTunnel.Created] = []
            for name in ["my-agent", "other-agent"].prefix(tunnelCount) {
                let request = CreateTunnel.Request(name: try TunnelName(validating: name), tlsMode: .edge)
                made.append(
                    try await ports.commit { store, now in
                        try CreateTunnel(ports: ports, rules: rules).decide(request, by: admin, in: store, at: now)
                    })
            }
            return (organization, made)
        }
        self.organization = organization
        tunnels = made.map {
            let tunnel = $0.snapshot.tunnel
            return SimulatedTunnel(id: tunnel.id, secret: $0.connectSecret, host: "\(tunnel.name.text).localhost")
        }
        for created in made { directory.put(created.snapshot.tunnel, at: clock.now) }
    }

    /// Everything that the loop holds is let go of.
    func end() { loop.resident = nil }

    // MARK: Time and bytes

    /// Turns the loop until nothing happens any more, at the time that it is.
    func settle() { while loop.turn(at: clock.instant) {} }

    func pass(_ duration: Duration) {
        for thirdParty in thirdParties { thirdParty.noteTimePasses() }
        for bridge in webSockets.flatMap(\.bridges) { bridge.noteTimePasses() }
        let isHeldUp = agents.contains { $0.isFrozen || $0.wire.isBusy(.toEdge) || $0.wire.isBusy(.toClient) }
        wasHeldUp = wasHeldUp || isHeldUp
        clock.advance(by: duration)
        settle()
    }

    var wires: [SimulatedWire] { agents.map(\.wire) + thirdParties.map(\.wire) }

    /// Moves so many bytes at most; a narrow network takes only a few at once.
    func move(_ direction: SimulatedWire.Direction, on wire: SimulatedWire, upTo byteCountMax: Int) -> Int {
        wire.move(direction, upTo: isNarrow ? min(byteCountMax, Self.narrowWindowByteCount) : byteCountMax)
    }

    /// Moves everything that is on its way, and what that brings about, until nothing moves.
    func deliverAll() {
        var hasMoved = true
        while hasMoved {
            settle()
            hasMoved = false
            for wire in wires {
                for direction in SimulatedWire.Direction.allCases where move(direction, on: wire, upTo: .max) > 0 {
                    hasMoved = true
                }
            }
        }
        settle()
    }

    /// Lets the edge have the wire's other end.
    private func plug(_ wire: SimulatedWire, host: String?, isHTTP2: Bool) {
        precondition(front.admits(.loopback(port: 0)), "no simulation opens so many connections")
        front.open(
            NewConnection(
                descriptor: wire.edgeDescriptor, peer: .loopback(port: 0), purpose: .clearText, host: host,
                isHTTP2Preface: isHTTP2))
    }

    // MARK: Coming

    func connectThirdParty(isHTTP2: Bool, to tunnel: Int) throws -> SimulatedThirdParty {
        let wire = try SimulatedWire()
        let thirdParty = try SimulatedThirdParty(
            wire, isHTTP2: isHTTP2, windowByteCount: isNarrow ? Self.narrowWindowByteCount : nil, on: loop)
        thirdParty.tunnel = tunnel
        thirdParties.append(thirdParty)
        plug(wire, host: isHTTP2 ? nil : tunnels[tunnel].host, isHTTP2: isHTTP2)
        settle()
        return thirdParty
    }

    func ask(_ thirdParty: SimulatedThirdParty, _ tunnel: Int, method: String, bodyByteCount: Int) throws {
        let clock = clock
        let request = SimulatedRequest(
            number: requests.count, tunnel: tunnel, method: method, bodyByteCount: bodyByteCount, now: { clock.instant })
        try ask(thirdParty, request)
    }

    func ask(_ thirdParty: SimulatedThirdParty, _ request: SimulatedRequest) throws {
        requests.append(request)
        try thirdParty.ask(request, host: tunnels[request.tunnel].host)
        settle()
    }

    var webSockets: [SimulatedWebSocket] { requests.compactMap { $0 as? SimulatedWebSocket } }

    /// Lets an agent connect and say hello; nothing else happens until it has its answer, because the store answers in a
    /// time of its own.
    func connectAgent(_ tunnel: Int, features: String?, poolSize: Int, showsKey: Bool) throws -> SimulatedAgent {
        let wire = try SimulatedWire()
        lastAgent += 1
        let agent = try SimulatedAgent(
            lastAgent, tunnel: tunnel, tunnelID: tunnels[tunnel].id.text,
            credential: showsKey ? ("x-api-key", organization.apiKey) : ("x-tunnel-secret", tunnels[tunnel].secret),
            features: features, poolSize: poolSize, windowByteCount: isNarrow ? Self.narrowWindowByteCount : nil, wire, on: loop
        )
        agent.onJob = { [unowned self, unowned agent] in take($0, at: agent) }
        agent.onCancel = { [unowned self] in cancelled.insert($0) }
        agents.append(agent)
        plug(wire, host: nil, isHTTP2: true)
        settle()
        agent.sayHello()
        settle()
        while let hello = agent.hello, !hello.isOver, !agent.isOver {
            let moved = SimulatedWire.Direction.allCases.reduce(0) { $0 + wire.move($1, upTo: .max) }
            if moved == 0, !loop.turn(at: clock.instant, waitingMilliseconds: 20_000) { throw HelloUnanswered() }
            settle()
        }
        return agent
    }

    struct HelloUnanswered: Error {}

    private func take(_ job: SimulatedJob, at agent: SimulatedAgent) {
        takers[job.number, default: []].append(agent)
        jobs.append(job)
        record("job \(job.number) at \(agent.number)")
    }

    // MARK: The control plane

    func delete(_ tunnel: Int) throws {
        deletedTunnels.insert(tunnel)
        try change(tunnel) { ports, admin, id in
            _ = try await ports.commit { try DeleteTunnel(ports: ports).decide(id, by: admin, in: $0, at: $1) }
        }
    }

    /// Ends the agents that showed the key, as when it is revoked; here the store keeps it, so that new ones may come.
    func revokeKey() {
        front.keyRevoked(organization.keyRecord.id)
        settle()
    }

    func restore(_ tunnel: Int) throws {
        try change(tunnel) { ports, admin, id in
            _ = try await ports.commit { try RestoreTunnel(ports: ports).decide(id, by: admin, in: $0, at: $1) }
        }
    }

    private func change(
        _ tunnel: Int, _ change: @escaping @Sendable (ServicePorts, CallContext, TunnelID) async throws -> Void
    ) throws {
        let admin = CallContext(
            principal: organization.keyRecord.principal, actor: organization.keyRecord.actor, ip: "192.0.2.7",
            requestID: "req-2")
        let (ports, id) = (ports, tunnels[tunnel].id)
        // A refused change, such as restoring what was not deleted, changes nothing.
        try? waiting { try await change(ports, admin, id) }
        guard let tunnel = store.contents.tunnels[id] else { return }
        directory.put(tunnel, at: clock.now)
        front.tunnelChanged(tunnel)
        settle()
    }

    // MARK: Draining

    /// The service goes down, step by step: it takes no more connections, tells WebSockets, and dismisses agents.
    func drain() {
        if !isDraining {
            isDraining = true
            // A request that meets the end of its connection on the way is lost over HTTP/1.1.
            for thirdParty in thirdParties { thirdParty.noteRisk() }
            front.drain(silenceMax: .zero)
        } else {
            wereWebSocketsClosed = true
            front.closeWebSockets()
        }
        settle()
    }

    // MARK: The record

    func record(_ text: String) {
        for byte in text.utf8 { transcript = (transcript ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
    }
}

/// A tunnel, and what its agents and third parties know of it.
struct SimulatedTunnel {
    var id: TunnelID
    var secret: String
    var host: String
}

extension Simulation {
    /// In a narrow simulation: of one stream, of messages, and of envelopes for agents that take wholes only.
    static let narrowWindowByteCount = 4 * 1024
    static let messageByteCountMax = 5_000
    static let wholeEnvelopeByteCountMax = narrowWindowByteCount / 2
    static let backlogByteCountMax = 4 * 1024
    /// What the edge may hold of one WebSocket: a backlog, a window, what was read with it and a message each way. Towards the
    /// agent JSON makes more of it: a third of what is large, and a few times as much of the few that are small.
    static let heldByteCountMax =
        2 * backlogByteCountMax + 5 * narrowWindowByteCount + 3 * messageByteCountMax + 8 * 1024
}

extension EdgeSettings {
    /// Small windows and messages: what holds for kilobytes holds for megabytes, and takes no time.
    fileprivate mutating func narrow() {
        webSocket.messageByteCountMax = Simulation.messageByteCountMax
        webSocket.pump.wholeEnvelopeByteCountMax = Simulation.wholeEnvelopeByteCountMax
        webSocket.pump.backlogByteCountMax = Simulation.backlogByteCountMax
        thirdParty.http1.unconsumedByteCountMax = Simulation.narrowWindowByteCount
        thirdParty.http2.streamWindowByteCount = Simulation.narrowWindowByteCount
        zoneHTTP.http2.streamWindowByteCount = Simulation.narrowWindowByteCount
        zoneHTTP.http2.widenedByteCountMax = 0
    }
}

/// Runs the work on other threads and waits for it; for threads that are no part of Swift's pool.
private func waiting<Value: Sendable>(_ work: @escaping @Sendable () async throws -> Value) throws -> Value {
    let outcome = Journal<Result<Value, any Error>>()
    let isDone = DispatchSemaphore(value: 0)
    Task {
        do { outcome.add(.success(try await work())) } catch { outcome.add(.failure(error)) }
        isDone.signal()
    }
    isDone.wait()
    return try outcome.all[0].get()
}
