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
    let tunnelID: TunnelID
    let secret: String
    let host: String

    var agents: [SimulatedAgent] = []
    var thirdParties: [SimulatedThirdParty] = []
    var requests: [SimulatedRequest] = []
    /// The agents that each request came to, in order.
    var takers: [Int: [SimulatedAgent]] = [:]
    var jobs: [SimulatedJob] = []
    /// The requests that agents were told to forget.
    var cancelled: Set<String> = []
    var wasDeleted = false
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

    init() throws {
        (door, loop) = try EventLoop.turnedByHand(at: MonotonicInstant(nanoseconds: 1))
        directory = TunnelDirectory(doors: [door])
        ports = ServicePorts(
            store: store, clock: clock, randomness: MemoryRandomness(), hasher: MemoryHasher(), sealer: MemorySealer(),
            issuer: nil, events: MemoryEvents(), presence: directory)
        let zone = try Zone(validating: "localhost")
        var settings = EdgeSettings(zone: zone)
        settings.pool = Self.limits
        front = EdgeFront(
            EdgeParts(
                settings: settings, directory: directory, registry: AgentRegistry(ports: ports), api: EchoAPI(),
                log: EdgeNotes(), tls: nil),
            on: loop)
        let (ports, rules) = (ports, ServiceRules(zone: zone))
        let (organization, created) = try waiting {
            let organization = try await CreateOrganization(ports: ports)()
            let admin = CallContext(
                principal: organization.keyRecord.principal, actor: organization.keyRecord.actor, ip: "192.0.2.7",
                requestID: "req-1")
            let request = CreateTunnel.Request(name: try TunnelName(validating: "my-agent"), tlsMode: .edge)
            let created = try await ports.commit { store, now in
                try CreateTunnel(ports: ports, rules: rules).decide(request, by: admin, in: store, at: now)
            }
            return (organization, created)
        }
        self.organization = organization
        tunnelID = created.snapshot.tunnel.id
        secret = created.connectSecret
        host = "my-agent.localhost"
        directory.put(created.snapshot.tunnel, at: clock.now)
    }

    /// Everything that the loop holds is let go of.
    func end() { loop.resident = nil }

    // MARK: Time and bytes

    /// Turns the loop until nothing happens any more, at the time that it is.
    func settle() { while loop.turn(at: clock.instant) {} }

    func pass(_ duration: Duration) {
        for thirdParty in thirdParties { thirdParty.noteTimePasses() }
        let isHeldUp = agents.contains { $0.isFrozen || $0.wire.isBusy(.toEdge) || $0.wire.isBusy(.toClient) }
        wasHeldUp = wasHeldUp || isHeldUp
        clock.advance(by: duration)
        settle()
    }

    var wires: [SimulatedWire] { agents.map(\.wire) + thirdParties.map(\.wire) }

    /// Moves everything that is on its way, and what that brings about, until nothing moves.
    func deliverAll() {
        var hasMoved = true
        while hasMoved {
            settle()
            hasMoved = false
            for wire in wires {
                for direction in SimulatedWire.Direction.allCases where wire.move(direction, upTo: .max) > 0 {
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

    func connectThirdParty(isHTTP2: Bool) throws -> SimulatedThirdParty {
        let wire = try SimulatedWire()
        let thirdParty = try SimulatedThirdParty(wire, isHTTP2: isHTTP2, on: loop)
        thirdParties.append(thirdParty)
        plug(wire, host: isHTTP2 ? nil : host, isHTTP2: isHTTP2)
        settle()
        return thirdParty
    }

    func ask(_ thirdParty: SimulatedThirdParty, method: String, bodyByteCount: Int) throws {
        let clock = clock
        let request = SimulatedRequest(
            number: requests.count, method: method, bodyByteCount: bodyByteCount, now: { clock.instant })
        requests.append(request)
        try thirdParty.ask(request, host: host)
        settle()
    }

    /// Lets an agent connect and say hello; nothing else happens until it has its answer, because the store answers in a
    /// time of its own.
    func connectAgent(features: String?, poolSize: Int, showsKey: Bool) throws -> SimulatedAgent {
        let wire = try SimulatedWire()
        lastAgent += 1
        let agent = try SimulatedAgent(
            lastAgent, tunnelID: tunnelID.text,
            credential: showsKey ? ("x-api-key", organization.apiKey) : ("x-tunnel-secret", secret), features: features,
            poolSize: poolSize, wire, on: loop)
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

    func delete() throws {
        wasDeleted = true
        try change { ports, admin, id in
            _ = try await ports.commit { try DeleteTunnel(ports: ports).decide(id, by: admin, in: $0, at: $1) }
        }
    }

    /// Ends the agents that showed the key, as when it is revoked; here the store keeps it, so that new ones may come.
    func revokeKey() {
        front.keyRevoked(organization.keyRecord.id)
        settle()
    }

    func restore() throws {
        try change { ports, admin, id in
            _ = try await ports.commit { try RestoreTunnel(ports: ports).decide(id, by: admin, in: $0, at: $1) }
        }
    }

    private func change(_ change: @escaping @Sendable (ServicePorts, CallContext, TunnelID) async throws -> Void) throws {
        let admin = CallContext(
            principal: organization.keyRecord.principal, actor: organization.keyRecord.actor, ip: "192.0.2.7",
            requestID: "req-2")
        let (ports, id) = (ports, tunnelID)
        // A refused change, such as restoring what was not deleted, changes nothing.
        try? waiting { try await change(ports, admin, id) }
        guard let tunnel = store.contents.tunnels[tunnelID] else { return }
        directory.put(tunnel, at: clock.now)
        front.tunnelChanged(tunnel)
        settle()
    }

    // MARK: The record

    func record(_ text: String) {
        for byte in text.utf8 { transcript = (transcript ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
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
