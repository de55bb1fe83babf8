import TestSupport
import TunnelDomain
@testable import TunnelEdge
import TunnelWire

extension SimulationRun {
    /// What must be true after every event.
    func check(_ sample: inout Sample) throws {
        for request in world.requests {
            try sample.check(request.closingCount <= 1, "request \(request.number) ended \(request.closingCount) times")
            try sample.check(
                (world.takers[request.number]?.count ?? 0) <= 1, "request \(request.number) came to more than one agent")
            if let head = request.head { world.record("\(request.number) \(head.status) \(request.received.count)") }
        }
        for job in world.jobs {
            try sample.check(world.requests.indices.contains(job.number), "an agent was given a request that nobody made")
            try check(job, of: world.requests[job.number], sample)
        }
        try checkWebSockets(sample)
    }

    /// What an agent was given is what the third party sent.
    private func check(_ job: SimulatedJob, of request: SimulatedRequest, _ sample: Sample) throws {
        try sample.check(job.agent.tunnel, is: request.tunnel, "the tunnel that request \(job.number) came to")
        try sample.check(job.fields.first(named: "inkbox-method"), is: request.method, "the method of \(job.number)")
        try sample.check(job.fields.first(named: "inkbox-h-x-number"), is: "\(job.number)", "a field of \(job.number)")
        try sample.check(request.body.starts(with: job.body), "the body of \(job.number) arrived altered")
        if job.hasWholeBody {
            try sample.check(job.body.count, is: request.body.count, "the length of the body of \(job.number)")
        }
    }

    /// Brings everything to its end: each request has to have come to one, and nothing may be left behind.
    mutating func finish(_ sample: inout Sample) throws {
        sample.note("everything comes to its end")
        for agent in world.agents { agent.isFrozen = false }
        readAll()
        try check(&sample)
        let survivors = world.agents.filter(\.isInOffice)
        for request in world.requests { request.send(upTo: .max) }
        if sample.bool() { answerAll() }
        readAll()
        try endWebSockets(&sample)
        // What is still open may take until its deadline, and a slow reply as long again.
        for _ in 0..<6 {
            world.pass(.seconds(31))
            readAll()
        }
        for reply in replies { reply.breakOff() }
        readAll()
        try check(&sample)
        for request in world.requests { try judge(request, survivors, sample) }
        for reply in replies { try judge(reply, sample) }
        try tearDown(&sample)
    }

    func readAll() {
        var byteCount = -1
        while byteCount != readByteCount {
            byteCount = readByteCount
            world.deliverAll()
            for request in world.requests { request.take() }
            for job in world.jobs { job.consume() }
            for bridge in world.webSockets.flatMap(\.bridges) { bridge.take() }
        }
    }

    private var readByteCount: Int {
        world.requests.reduce(0) { $0 + $1.progress } + world.jobs.reduce(0) { $0 + $1.body.count }
            + world.webSockets.flatMap(\.bridges).reduce(0) { $0 + $1.heardByteCount }
    }

    private mutating func answerAll() {
        var answered = -1
        while answered != replies.count {
            answered = replies.count
            for agent in world.agents where agent.isInOffice {
                while agent.parked.count < agent.poolSize { agent.park(); if !agent.isInOffice { break } }
            }
            for reply in replies { reply.send(upTo: .max) }
            readAll()
            for agent in world.agents where agent.isServing {
                for job in agent.jobs {
                    let reply = SimulatedReply(number: job.number, bodyByteCount: 10, isInvalid: false)
                    agent.reply(to: job, reply)
                    reply.send(upTo: .max)
                    replies.append(reply)
                }
                agent.jobs = []
            }
            readAll()
        }
    }

    /// The end of a request is the one that it deserves.
    private func judge(_ request: SimulatedRequest, _ survivors: [SimulatedAgent], _ sample: Sample) throws {
        let name = "request \(request.number)"
        if request.isGivenUp { return }
        try sample.check(request.closingCount, is: 1, "the ends of \(name)")
        guard let head = request.head else { return try judgeLoss(of: request, sample) }
        if let number = head.fields.first(named: "x-reply") {
            try sample.check(number, is: "\(request.number)", "the reply that \(name) got")
            if let webSocket = request as? SimulatedWebSocket, webSocket.wasOpened { return try judge(webSocket, sample) }
            return try judgeAnswer(to: request, head, sample)
        }
        try sample.check(request.isAnswered, "\(name) got half of a page: \(head.status)")
        try judgeRefusal(of: request, head, survivors, sample)
    }

    private func replies(to request: SimulatedRequest) -> [SimulatedReply] { replies.filter { $0.number == request.number } }

    private func judgeAnswer(to request: SimulatedRequest, _ head: HTTPResponseHead, _ sample: Sample) throws {
        let all = replies(to: request).filter { !$0.isInvalid }
        let hasBody = request.method != "HEAD"
        let name = "request \(request.number)"
        if request.isAnswered, request.error == nil {
            try sample.check(
                all.contains { $0.status == head.status && (request.received == $0.body || !hasBody) },
                "\(name) got an answer that nobody gave")
        } else {
            try sample.check(all.contains { $0.body.starts(with: request.received) }, "\(name) got bytes that nobody sent")
            try judgeLoss(of: request, sample)
        }
    }

    /// A request without a whole answer: somebody must have broken it off.
    private func judgeLoss(of request: SimulatedRequest, _ sample: Sample) throws {
        let wasReplyLost = replies(to: request).contains { !$0.isSent || $0.isBroken || $0.answer != 200 }
        let wasSlow = request.thirdParty?.isSlow ?? false
        try sample.check(
            wasReplyLost || wasSlow,
            "request \(request.number) was broken off for no reason: \(request.error.map { "\($0)" } ?? "whole")")
    }

    private func judgeRefusal(
        of request: SimulatedRequest, _ head: HTTPResponseHead, _ survivors: [SimulatedAgent], _ sample: Sample
    ) throws {
        let name = "request \(request.number)"
        let takers = world.takers[request.number] ?? []
        let waited = (request.endedAt ?? request.askedAt) - request.askedAt
        switch (head.status, request.reason) {
        case (502, "agent-offline"):
            try sample.check(takers.isEmpty, "\(name) came to an agent that was not there")
        case (502, "agent-disconnected"):
            let wasGivenUp = replies(to: request).contains(where: \.isBroken)
            try sample.check(
                wasGivenUp || !takers.contains { taker in survivors.contains { $0 === taker } },
                "\(name) was lost with an agent that is still there")
        case (503, "agent-busy"):
            try sample.check(takers.isEmpty, "\(name) came to an agent that had no time")
            // The edge may learn late that one was given up.
            let rivalCount = world.requests.count { $0.isGivenUp || $0.overlaps(request) }
            try sample.check(
                waited >= Simulation.limits.queueWait || rivalCount > Simulation.limits.queueMax, "\(name) waited too little")
        case (504, "response-deadline-exceeded"):
            let wasCancelled = world.wasIntakeTakenBack && !request.body.isEmpty
            let wasResetLate = world.wasIntakeReset && world.wasHeldUp
            let mayHaveMissed = wasCancelled || wasResetLate || world.agents.contains(where: \.isOver)
            try sample.check(!takers.isEmpty || mayHaveMissed, "\(name) never came to an agent")
            try sample.check(waited >= Simulation.limits.responseDeadline, "\(name) waited \(waited) only")
        case (404, "tunnel-inactive"):
            try sample.check(world.deletedTunnels.contains(request.tunnel), "the tunnel was never deleted")
        case (502, "invalid-reply"):
            // Over HTTP/2 a success other than 200 neither opens a WebSocket nor refuses it.
            let isInvalid = replies(to: request).contains { $0.isInvalid || request.isUpgrade && $0.status == 201 }
            try sample.check(isInvalid, "nobody gave \(name) an invalid reply")
        case (408, _): try sample.check(request.thirdParty?.isSlow ?? false, "\(name) was not slow")
        default: try sample.check(false, "\(name) was refused with \(head.status) \(request.reason ?? "without a reason")")
        }
    }

    /// What the service said to a reply is what became of it.
    private func judge(_ reply: SimulatedReply, _ sample: Sample) throws {
        guard reply.answer == 200 else { return }
        let request = world.requests[reply.number]
        try sample.check(!reply.isInvalid, "an invalid reply to \(reply.number) was taken")
        guard !request.isUpgrade || reply.status != 201 else { return }
        guard !request.isGivenUp, (request as? SimulatedWebSocket)?.wasOpened != true else { return }
        try sample.check(
            request.isAnswered && (request.method == "HEAD" || request.received == reply.body) || request.error != nil,
            "the reply to \(reply.number) was taken and did not arrive")
    }

    // MARK: Leaving nothing behind

    private func tearDown(_ sample: inout Sample) throws {
        for thirdParty in world.thirdParties { thirdParty.close() }
        world.deliverAll()
        for agent in world.agents { agent.close() }
        world.deliverAll()
        for wire in world.wires { wire.cut() }
        world.settle()
        for _ in 0..<4 { world.pass(.seconds(60)) }
        try sample.check(world.front.openConnectionCount, is: 0, "the connections left")
        try sample.check(world.front.isQuiet, "something is left to be done")
        try sample.check(world.front.webSocketCount, is: 0, "the WebSockets left")
        try sample.check(world.front.openSites.isEmpty, "a tunnel is left that nobody is connected to")
    }
}
