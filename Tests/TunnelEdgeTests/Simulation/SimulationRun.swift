@testable import HTTPTransport
import TestSupport
import TunnelDomain

/// One random life of the simulation, and what must be true of it.
struct SimulationRun {
    /// What happens besides requests.
    struct Scope: OptionSet {
        let rawValue: Int
        static let webSockets = Scope(rawValue: 1)
    }

    let scope: Scope
    let world: Simulation
    var replies: [SimulatedReply] = []
    /// The WebSockets that agents have accepted.
    var acceptances: [SimulatedJob] = []

    init(_ scope: Scope = []) throws {
        self.scope = scope
        world = try Simulation(tunnelCount: scope.isEmpty ? 1 : 2, isNarrow: !scope.isEmpty)
    }

    /// Lives through so many random events, comes to an end, and checks what came of every request.
    mutating func live(_ sample: inout Sample, stepCountMax: Int) throws {
        if !scope.isEmpty, sample.bool() { try beginWithWebSockets(&sample) }
        for _ in 0..<sample.int(in: 5...stepCountMax) {
            if scope.contains(.webSockets), sample.bool() { try webSocketStep(&sample) } else { try step(&sample) }
            try check(&sample)
        }
        try finish(&sample)
        world.end()
    }

    // MARK: Random events

    private mutating func step(_ sample: inout Sample) throws {
        switch sample.int(in: 0...29) {
        case 0...5: deliver(&sample)
        case 6, 7: world.deliverAll()
        case 8...11: try ask(&sample)
        case 12...14: park(&sample)
        case 15...18: reply(&sample)
        case 19, 20: goOn(&sample)
        case 21: take(&sample)
        case 22, 23: try connectAgent(&sample)
        case 24: loseAgent(&sample)
        case 25: leave(&sample)
        case 26: resetIntake(&sample)
        case 27, 28: pass(&sample)
        default: try change(&sample)
        }
    }

    func note(_ sample: inout Sample, _ text: String) {
        sample.note(text)
        world.record(text)
    }

    private func deliver(_ sample: inout Sample) {
        let wires = world.wires
        guard !wires.isEmpty else { return }
        let index = sample.int(in: 0...wires.count - 1)
        let direction = sample.element(of: SimulatedWire.Direction.allCases)
        let limit = sample.chance(oneIn: 3) ? sample.int(in: 1...400) : Int.max
        let count = world.move(direction, on: wires[index], upTo: limit)
        note(&sample, "\(count) bytes move \(direction) on wire \(index)")
        world.settle()
    }

    private mutating func ask(_ sample: inout Sample) throws {
        let tunnel = drawTunnel(&sample)
        guard let thirdParty = try freeThirdParty(of: tunnel, &sample) else { return }
        let method = sample.element(of: ["GET", "POST", "HEAD"])
        let byteCount = method == "POST" ? sample.element(of: [0, 1, 2_000, world.isNarrow ? 20_000 : 200_000]) : 0
        note(&sample, "request \(world.requests.count): \(method) with \(byteCount) bytes, HTTP/2 \(thirdParty.isHTTP2)")
        try world.ask(thirdParty, tunnel, method: method, bodyByteCount: byteCount)
    }

    func drawTunnel(_ sample: inout Sample) -> Int { sample.int(in: 0...world.tunnels.count - 1) }

    /// A third party that may ask a tunnel for something: one that is there, or a new one.
    func freeThirdParty(of tunnel: Int, _ sample: inout Sample) throws -> SimulatedThirdParty? {
        let idle = world.thirdParties.filter { $0.mayAsk && ($0.isHTTP2 || $0.tunnel == tunnel) }
        let mayCome = world.thirdParties.count < thirdPartyCountMax && !world.isDraining
        if !idle.isEmpty, !mayCome || sample.bool() { return sample.element(of: idle) }
        guard mayCome else { return nil }
        let thirdParty = try world.connectThirdParty(isHTTP2: sample.bool(), to: tunnel)
        return thirdParty.mayAsk ? thirdParty : nil
    }

    private var thirdPartyCountMax: Int { scope.isEmpty ? 5 : 10 }

    mutating func connectAgent(_ sample: inout Sample, to given: Int? = nil) throws {
        guard world.agents.count < (scope.isEmpty ? 6 : 8), !world.isDraining else { return }
        let tunnel = given ?? drawTunnel(&sample)
        let features = sample.element(
            of: [
                nil, "cancel", "opaque-headers, cancel", "shared", "shared, cancel, leave", "leave, replies-on-intake",
                "shared, leave, replies-on-intake",
            ] + (scope.isEmpty ? [] : ["cancel, stream-bridges", "stream-bridges, leave, replies-on-intake"]))
        let agent = try world.connectAgent(
            tunnel, features: features, poolSize: sample.int(in: 1...3), showsKey: sample.chance(oneIn: 3))
        note(&sample, "agent \(agent.number) says hello: \(agent.hello?.status ?? 0)")
    }

    func park(_ sample: inout Sample) {
        let serving = world.agents.filter(\.isServing)
        guard !serving.isEmpty else { return }
        let agent = sample.element(of: serving)
        // One more than it said, now and then; that costs it its connection.
        let countMax = agent.poolSize + (sample.chance(oneIn: 20) ? 1 : 0)
        let count = sample.int(in: 1...3)
        for _ in 0..<count where agent.parked.count < countMax { agent.park() }
        note(&sample, "agent \(agent.number) has parked \(agent.parked.count)")
        world.settle()
    }

    private mutating func reply(_ sample: inout Sample) {
        let jobs = world.agents.filter(\.isServing).flatMap(\.jobs)
        guard !jobs.isEmpty else { return }
        let job = sample.element(of: jobs)
        // Mostly on the connection that the request came on, sometimes on another one.
        let servers = world.agents.filter(\.isServing)
        let others = servers.filter { $0.tunnel == job.agent.tunnel }
        let agent = sample.chance(oneIn: 6) ? sample.element(of: others) : job.agent
        let reply = SimulatedReply(
            number: job.number, bodyByteCount: sample.element(of: [0, 5, 3_000, world.isNarrow ? 20_000 : 200_000]),
            isInvalid: sample.chance(oneIn: 15), status: job.isUpgrade && !sample.chance(oneIn: 8) ? 200 : nil)
        agent.reply(to: job, reply)
        if reply.stream != nil { replies.append(reply) }
        if reply.stream != nil, job.isUpgrade, reply.status == 200, !reply.isInvalid { acceptances.append(job) }
        // A second reply to the same request is refused; a few agents try.
        if !sample.chance(oneIn: 10) { job.agent.jobs.removeAll { $0 === job } }
        if sample.bool() { reply.send(upTo: .max) }
        note(&sample, "agent \(agent.number) answers \(job.number) with \(reply.body.count) bytes, invalid \(reply.isInvalid)")
        world.settle()
    }

    /// Somebody who is in the middle of a message sends more of it, or breaks it off.
    private func goOn(_ sample: inout Sample) {
        let asking = world.requests.filter { !$0.isSent && !$0.isOver && $0.stream != nil }
        let replying = replies.filter { !$0.isSent && !$0.isBroken && $0.stream != nil }
        let byteCount = sample.element(of: [Int.max, 1_000, 70_000])
        if !asking.isEmpty, replying.isEmpty || sample.bool() {
            let request = sample.element(of: asking)
            request.send(upTo: byteCount)
            note(&sample, "request \(request.number) goes on")
        } else if !replying.isEmpty {
            let reply = sample.element(of: replying)
            if sample.chance(oneIn: 8) { reply.breakOff() } else { reply.send(upTo: byteCount) }
            note(&sample, "the reply to \(reply.number) goes on, broken \(reply.isBroken)")
        }
        world.settle()
    }

    /// Somebody reads what has come to him.
    private func take(_ sample: inout Sample) {
        for request in world.requests where sample.bool() { request.take() }
        for job in world.jobs where sample.bool() { job.consume() }
        note(&sample, "some read")
        world.settle()
    }

    private func loseAgent(_ sample: inout Sample) {
        let present = world.agents.filter { !$0.isOver }
        guard !present.isEmpty else { return }
        let agent = sample.element(of: present)
        let how = sample.int(in: 0...4)
        switch how {
        case 4: agent.leave()
        case 0: agent.close()
        case 1: agent.abort()
        case 2: agent.wire.cut()
        default: agent.isFrozen.toggle()
        }
        note(&sample, "agent \(agent.number) goes: \(how)")
        world.settle()
    }

    /// A third party gives up one request, or all with its connection.
    private func leave(_ sample: inout Sample) {
        let present = world.thirdParties.filter { !$0.isOver && !$0.requests.isEmpty }
        guard !present.isEmpty else { return }
        let thirdParty = sample.element(of: present)
        if thirdParty.isHTTP2, sample.bool() {
            let request = sample.element(of: thirdParty.requests)
            request.giveUp()
            request.stream?.reset(.cancel)
            note(&sample, "request \(request.number) is given up")
        } else {
            for request in thirdParty.requests { request.giveUp() }
            if sample.bool() { thirdParty.abort() } else { thirdParty.wire.cut() }
            note(&sample, "the third party of \(thirdParty.requests.map(\.number)) leaves")
        }
        world.settle()
    }

    private func resetIntake(_ sample: inout Sample) {
        let parked = world.agents.filter(\.isServing).flatMap(\.parked)
        guard !parked.isEmpty else { return }
        let isRefused = sample.bool()
        sample.element(of: parked).stream?.reset(isRefused ? .refused : .cancel)
        world.wasIntakeReset = true
        if !isRefused { world.wasIntakeTakenBack = true }
        note(&sample, "an intake is taken back, refused \(isRefused)")
        world.settle()
    }

    private func pass(_ sample: inout Sample) {
        let duration: Duration =
            switch sample.int(in: 0...5) {
            case 0, 1: .milliseconds(sample.int(in: 1...900))
            case 2: .nanoseconds(5_000_000_000 + sample.int(in: -1...1))
            case 3: .seconds(sample.int(in: 1...9))
            case 4: .seconds(sample.int(in: 10...35))
            default: .nanoseconds(60_000_000_000 + sample.int(in: -1...1))
            }
        note(&sample, "\(duration) pass")
        world.pass(duration)
    }

    private func change(_ sample: inout Sample) throws {
        switch sample.int(in: 0...4) {
        case 4:
            note(&sample, "a key is revoked")
            world.revokeKey()
        case 0:
            let tunnel = drawTunnel(&sample)
            note(&sample, "tunnel \(tunnel) is deleted")
            try world.delete(tunnel)
        case 1, 2:
            let tunnel = drawTunnel(&sample)
            note(&sample, "tunnel \(tunnel) is restored")
            try world.restore(tunnel)
        default:
            let wall = world.clock.now + .seconds(sample.int(in: -4000...4000))
            note(&sample, "the wall clock jumps to \(wall)")
            world.clock.setWall(to: wall)
        }
    }
}
