@testable import HTTPTransport
import LinuxIO
import TunnelDomain
import TunnelWire

/// An agent's connection that does what the simulation says, in any order that the protocol allows.
final class SimulatedAgent: SimulatedClient {
    let number: Int
    /// Which of the tunnels it serves.
    let tunnel: Int
    let tunnelID: String
    /// The name and the value of the field that it shows.
    let credential: (name: String, value: String)
    let features: String?
    let poolSize: Int
    private(set) var hello: SimulatedHello?
    var parked: [SimulatedIntake] = []
    /// What it was given and has not answered completely.
    var jobs: [SimulatedJob] = []
    /// Is told of each request that arrives here.
    var onJob: ((SimulatedJob) -> Void)?
    /// Is told of each request that its third party has given up.
    var onCancel: ((String) -> Void)?

    init(
        _ number: Int, tunnel: Int, tunnelID: String, credential: (name: String, value: String), features: String?,
        poolSize: Int, windowByteCount: Int?, _ wire: SimulatedWire, on loop: Loop
    ) throws {
        self.number = number
        self.tunnel = tunnel
        self.tunnelID = tunnelID
        self.credential = credential
        self.features = features
        self.poolSize = poolSize
        try super.init(wire, isHTTP2: true, windowByteCount: windowByteCount, on: loop)
    }

    var isServing: Bool { !isOver && hello?.ownerToken != nil && http2 != nil }
    /// Serves, as far as it knows, and was not told to stop.
    var isInOffice: Bool { isServing && goodbye == nil && !hasLeft }
    /// It has said that it wants no more.
    private(set) var hasLeft = false
    /// It leaves its intakes open, and replies there.
    var repliesOnIntake: Bool { features?.contains("replies-on-intake") == true }
    /// It gives an envelope back to its window only when it is whole, as published agents do.
    var takesWholesOnly: Bool { features?.contains("stream-bridges") != true }

    func request(
        _ target: String, _ fields: [(String, String)], isEnd: Bool, _ receiver: any HTTPStreamReceiver
    ) -> HTTPStream? {
        var head = HTTPRequestHead(method: "POST", target: target, authority: "localhost")
        head.fields.append(name: "x-tunnel-id", value: tunnelID)
        for (name, value) in fields { head.fields.append(name: name, value: value) }
        return http2?.request(head, isEnd: isEnd, receiver: receiver)
    }

    func sayHello() {
        let hello = SimulatedHello()
        self.hello = hello
        var fields = [credential, ("content-length", "0"), ("x-pool-size", "\(poolSize)")]
        if let features { fields.append(("x-culvert-features", features)) }
        if request("/_system/hello", fields, isEnd: true, hello) == nil { abort() }
    }

    func park() {
        guard let token = hello?.ownerToken, http2?.mayBegin == true else { return }
        let intake = SimulatedIntake(self)
        intake.stream = request(
            "/_system/intake", [("x-owner-token", token), ("x-pool-slot", "0")], isEnd: !repliesOnIntake, intake)
        if intake.stream != nil { parked.append(intake) }
    }

    /// Wants no more work from now on.
    func leave() {
        guard let token = hello?.ownerToken, http2?.mayBegin == true else { return }
        hasLeft = true
        _ = request("/_system/leave", [("x-owner-token", token), ("content-length", "0")], isEnd: true, SimulatedHello())
    }

    /// Begins a reply on this connection, to whichever request; or on the intake that brought it, when that is open.
    func reply(to job: SimulatedJob, _ reply: SimulatedReply) {
        if job.agent === self, repliesOnIntake, !job.isUpgrade, job.replies.isEmpty, let stream = job.stream {
            return self.reply(to: job, reply, onIntake: stream)
        }
        guard http2?.mayBegin == true else { return }
        if job.agent.repliesOnIntake, job.replies.isEmpty { job.stream?.finish(trailers: nil) }
        var fields = [
            credential, ("inkbox-request-id", job.id), ("inkbox-status", "\(reply.status)"),
            ("inkbox-h-x-reply", "\(job.number)"),
        ]
        if reply.isInvalid { fields[2].1 = "007" }
        let isEnd = reply.body.isEmpty
        if isEnd { fields.append(("content-length", "0")) }
        reply.stream = request("/_system/response/\(job.id)", fields, isEnd: isEnd, reply)
        job.replies.append(reply)
        if isEnd { reply.isSent = true }
    }

    /// Joins the WebSocket that the job is about.
    func bind(_ socket: SimulatedWebSocket, _ job: SimulatedJob) {
        guard http2?.mayBegin == true, let id = job.fields.first(named: "inkbox-ws-id") else { return }
        var head = HTTPRequestHead(
            method: "CONNECT", target: "/_system/ws/\(id)", authority: "localhost", upgradeProtocol: "inkbox-tunnel-ws")
        let fields = [("x-tunnel-id", tunnelID), credential, ("inkbox-ws-id", id), ("sec-websocket-version", "13")]
        for (name, value) in fields { head.fields.append(name: name, value: value) }
        let bridge = SimulatedBridge(socket, self)
        bridge.stream = http2?.request(head, isEnd: false, receiver: bridge)
        if bridge.stream != nil { socket.bridges.append(bridge) }
    }

    private func reply(to job: SimulatedJob, _ reply: SimulatedReply, onIntake stream: HTTPStream) {
        var fields = HTTPFields()
        fields.append(name: "x-reply", value: "\(job.number)")
        var head: [UInt8] = []
        let isHead = job.fields.first(named: "inkbox-method") == "HEAD"
        try? ReplyEnvelope.encodeBinary(
            HTTPResponseHead(status: reply.status, fields: fields), contentLength: nil, isHeadRequest: isHead, reason: nil,
            into: &head)
        if reply.isInvalid { head = [0x3F] }
        reply.stream = stream
        job.replies.append(reply)
        stream.write(head)
        if reply.body.isEmpty { reply.send(upTo: 0) }
    }
}

/// A hello and its answer.
final class SimulatedHello: HTTPStreamReceiver {
    private(set) var status: Int?
    private(set) var ownerToken: String?
    private(set) var isOver = false
    private var text = ""

    func streamReceived(_ head: HTTPResponseHead, on stream: HTTPStream) { status = head.status }
    func streamReceived(_ bytes: Span<UInt8>, on stream: HTTPStream) {
        text += bytes.withUnsafeBufferPointer { String(decoding: $0, as: UTF8.self) }
        stream.consume(bytes.count)
    }
    func streamReceivedEnd(trailers: HTTPFields?, on stream: HTTPStream) {
        if status == 200, let token = text.firstMatch(of: /"owner_token":"([0-9a-f]+)"/) { ownerToken = String(token.1) }
    }
    func streamSent(byteCount: Int, on stream: HTTPStream) {}
    func streamClosed(_ error: StreamError?, on stream: HTTPStream) { isOver = true }
}

/// A parked intake; after its envelope has come, the way of the request's body.
final class SimulatedIntake: HTTPStreamReceiver {
    private unowned let agent: SimulatedAgent
    var stream: HTTPStream?
    private(set) var job: SimulatedJob?

    init(_ agent: SimulatedAgent) { self.agent = agent }

    func streamReceived(_ head: HTTPResponseHead, on stream: HTTPStream) {
        agent.parked.removeAll { $0 === self }
        guard head.status == 200, let id = head.fields.first(named: "inkbox-request-id") else { return }
        if head.fields.first(named: "inkbox-route-kind") == "cancel" {
            agent.jobs.removeAll { $0.id == id }
            agent.onCancel?(id)
            return
        }
        let job = SimulatedJob(id: id, fields: head.fields, agent: agent, stream: stream)
        self.job = job
        agent.jobs.append(job)
        agent.onJob?(job)
    }

    func streamReceived(_ bytes: Span<UInt8>, on stream: HTTPStream) { job?.take(bytes) ?? stream.consume(bytes.count) }
    func streamReceivedEnd(trailers: HTTPFields?, on stream: HTTPStream) { job?.hasWholeBody = true }
    func streamSent(byteCount: Int, on stream: HTTPStream) {}
    func streamClosed(_ error: StreamError?, on stream: HTTPStream) {
        agent.parked.removeAll { $0 === self }
        job?.stream = nil
        job?.replies.forEach { $0.lost(stream) }
        self.stream = nil
    }
}

/// A request as the agent that was given it sees it.
final class SimulatedJob {
    let id: String
    let fields: HTTPFields
    /// The number of the request that it claims to be.
    let number: Int
    unowned let agent: SimulatedAgent
    var stream: HTTPStream?
    private(set) var body: [UInt8] = []
    var hasWholeBody = false
    private var unconsumedByteCount = 0
    var replies: [SimulatedReply] = []
    /// Its third party asks for a WebSocket.
    var isUpgrade: Bool { fields.first(named: "inkbox-route-kind") == "ws-upgrade" }

    init(id: String, fields: HTTPFields, agent: SimulatedAgent, stream: HTTPStream) {
        self.id = id
        self.fields = fields
        self.agent = agent
        self.stream = stream
        number = Int(fields.first(named: "inkbox-path")?.dropFirst(3) ?? "") ?? -1
    }

    func take(_ bytes: Span<UInt8>) {
        bytes.withUnsafeBufferPointer { body.append(contentsOf: $0) }
        unconsumedByteCount += bytes.count
    }

    func consume() {
        stream?.consume(unconsumedByteCount)
        unconsumedByteCount = 0
    }
}

/// A reply on its way.
final class SimulatedReply: HTTPStreamReceiver {
    let number: Int
    let status: Int
    let body: [UInt8]
    let isInvalid: Bool
    var stream: HTTPStream?
    private var sentByteCount = 0
    var isSent = false
    /// The agent broke it off.
    private(set) var isBroken = false
    /// What the service said to it.
    private(set) var answer: Int?

    init(number: Int, bodyByteCount: Int, isInvalid: Bool, status: Int? = nil) {
        self.number = number
        self.status = status ?? [200, 201, 404, 500][number % 4]
        body = simulatedBody(of: number &+ 1000, byteCount: bodyByteCount)
        self.isInvalid = isInvalid
    }

    /// Sends the next so many bytes.
    func send(upTo byteCount: Int) {
        guard let stream, !isSent, !isBroken else { return }
        let end = sentByteCount + min(byteCount, body.count - sentByteCount)
        stream.write(Array(body[sentByteCount..<end]))
        sentByteCount = end
        guard end == body.count else { return }
        isSent = true
        stream.finish(trailers: nil)
    }

    /// The stream is over.
    func lost(_ stream: HTTPStream) { if self.stream === stream { self.stream = nil } }

    func breakOff() {
        guard let stream, !isSent else { return }
        isBroken = true
        stream.reset(.cancel)
    }

    func streamReceived(_ head: HTTPResponseHead, on stream: HTTPStream) { answer = head.status }
    func streamReceived(_ bytes: Span<UInt8>, on stream: HTTPStream) { stream.consume(bytes.count) }
    func streamReceivedEnd(trailers: HTTPFields?, on stream: HTTPStream) {}
    func streamSent(byteCount: Int, on stream: HTTPStream) {}
    func streamClosed(_ error: StreamError?, on stream: HTTPStream) { self.stream = nil }
}
