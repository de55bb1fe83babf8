internal import FoundationEssentials
internal import TunnelAgent
internal import TunnelClient
internal import TunnelDomain
internal import TunnelProfile
internal import TunnelWire

/// Answers third parties' requests in one of the ways there are, and remembers both sides.
final class AgentExchange: Sendable {
    let traffic: TrafficLog
    let pending = PendingReplies()
    private let limits: Limits
    private let tell: @Sendable (Notice) -> Void
    /// To local programs only, which are spoken to in clear text.
    private let transport: NetworkTransport?

    init(limits: Limits, traffic: TrafficLog, tell: @escaping @Sendable (Notice) -> Void) {
        self.limits = limits
        self.traffic = traffic
        self.tell = tell
        transport = try? NetworkTransport(timeoutSeconds: limits[.answerSeconds])
    }

    /// One request, as it is answered here: from a third party, or once more from memory.
    struct Incoming: Sendable {
        var requestID: String?
        var replayOf: Int?
        var method: String
        var path: String
        var fields: [AgentField]
        var forwardedFor: String
        var publicHost: String
        var body: [UInt8]
    }

    func answer(_ request: AgentRequest, agent: String, tunnel: String, _ mode: AgentMode) async throws -> AgentResponse {
        var incoming = Incoming(
            requestID: request.id, method: request.method, path: request.path, fields: request.fields,
            forwardedFor: request.forwardedFor, publicHost: request.publicHost, body: [])
        do {
            incoming.body = try await request.body.collect(upTo: limits[.bodyBytes])
        } catch is AgentRequestBody.BodyTooLong {
            let why = "the body is longer than \(limits[.bodyBytes]) bytes"
            return await record(incoming, agent, tunnel) { _ in (Self.text(413, why), why) }.response
        }
        return await answer(incoming, agent: agent, tunnel: tunnel, mode).response
    }

    /// Answers, and says under which sequence number it is remembered.
    func answer(
        _ incoming: Incoming, agent: String, tunnel: String, _ mode: AgentMode
    ) async -> (sequence: Int, response: AgentResponse) {
        await record(incoming, agent, tunnel) { [self] sequence in
            switch mode {
            case .fixed(let response): (response, nil)
            case .handler: try await ask(incoming, agent, tunnel, sequence)
            case .capturing(_, let server): try await forward(incoming, to: server)
            case .target(let target, _): try await forward(incoming, to: Self.server(of: target))
            }
        }
    }

    /// Notes a request that passed unseen.
    func note(_ report: RequestReport, agent: String, tunnel: String) {
        let milliseconds = Self.milliseconds(report.duration)
        let began = MachineClock.now() - .milliseconds(milliseconds)
        var body = CapturedBody()
        body.byteCount = report.requestByteCount
        let sequence = traffic.begin(
            CapturedRequest(
                sequence: 0, agent: agent, tunnel: tunnel, requestID: report.id, receivedAt: began, method: report.method,
                path: report.path, fields: [], forwardedFor: "", body: body))
        var answer = CapturedBody()
        answer.byteCount = report.responseByteCount
        traffic.finish(
            sequence,
            CapturedRequest.Outcome(
                status: report.status, body: answer, milliseconds: milliseconds, problem: report.problem))
    }

    /// Where a target is as a server of `TunnelClient`, which refuses clear text to other machines.
    static func server(of target: AgentTarget) throws -> ServerURL {
        if target.pathPrefix.isEmpty, let server = try? ServerURL(validating: target.description) { return server }
        throw RPCFailure.make(
            .agent,
            "requests to another machine, to a Unix socket, over HTTP/2 or below a path cannot be captured or replayed; start "
                + "the agent with \"capture\": false")
    }
}

// MARK: - Ways of answering

extension AgentExchange {
    private func ask(
        _ incoming: Incoming, _ agent: String, _ tunnel: String, _ sequence: Int
    ) async throws -> (AgentResponse, String?) {
        let received = Self.received(incoming, agent, tunnel, sequence)
        do {
            let response = try await pending.answer(to: sequence, seconds: limits[.answerSeconds]) { [tell] in
                tell(.requestReceived(received))
            }
            if let response { return (response, nil) }
            tell(.requestGone(id: String(sequence), reason: "it was not answered in time"))
            return (Self.text(504, "The handler did not answer in time."), "the client did not answer in time")
        } catch {
            tell(.requestGone(id: String(sequence), reason: "the third party went away"))
            throw error
        }
    }

    private func forward(_ incoming: Incoming, to server: ServerURL) async throws -> (AgentResponse, String?) {
        guard let transport else { return (Self.text(502, "The agent has no resources."), "there are no resources") }
        // What is written for one connection does not go on to the next (RFC 9110 section 7.6.1).
        let dropped: Set<String> = ["host", "content-length", "connection", "keep-alive", "te", "transfer-encoding", "upgrade"]
        var fields = incoming.fields.filter { !dropped.contains($0.name) }.map { ($0.name, $0.value) }
        if !incoming.fields.contains(where: { $0.name == "x-forwarded-for" }) {
            fields += [
                ("x-forwarded-for", incoming.forwardedFor), ("x-forwarded-host", incoming.publicHost),
                ("x-forwarded-proto", "https"),
            ]
        }
        let request = ClientRequest(
            server: server, method: incoming.method, target: incoming.path, fields: fields, body: incoming.body)
        do {
            let response = try await transport.send(request)
            var answer = response.fields.filter { !dropped.contains($0.name) }.map { AgentField($0.name, $0.value) }
            let length = incoming.method == "HEAD" ? response.first("content-length") : String(response.body.count)
            if let length, response.status != 204, response.status != 304 {
                answer.append(AgentField("content-length", length))
            }
            return (AgentResponse(status: response.status, fields: answer, body: response.body), nil)
        } catch let failure as TransportFailure {
            return (
                Self.text(502, "The tunnel's agent is connected, but the program behind it cannot be reached."), "\(failure)"
            )
        }
    }

    private func record(
        _ incoming: Incoming, _ agent: String, _ tunnel: String,
        _ work: (Int) async throws -> (AgentResponse, String?)
    ) async -> (sequence: Int, response: AgentResponse) {
        let began = ContinuousClock.now
        let sequence = traffic.begin(
            CapturedRequest(
                sequence: 0, agent: agent, tunnel: tunnel, requestID: incoming.requestID, replayOf: incoming.replayOf,
                receivedAt: MachineClock.now(), method: incoming.method, path: incoming.path, fields: incoming.fields,
                forwardedFor: incoming.forwardedFor, body: traffic.body(incoming.body)))
        var outcome = CapturedRequest.Outcome(milliseconds: 0)
        let response: AgentResponse
        do {
            let problem: String?
            (response, problem) = try await work(sequence)
            outcome.status = response.status
            outcome.fields = response.fields
            if case .bytes(let bytes) = response.body { outcome.body = traffic.body(bytes) }
            outcome.problem = problem
        } catch {
            response = Self.text(502, "The request could not be answered.")
            outcome.problem = error is CancellationError ? "the third party went away" : RPCFailure.describe(error).message
        }
        outcome.milliseconds = Self.milliseconds(ContinuousClock.now - began)
        traffic.finish(sequence, outcome)
        return (sequence, response)
    }

    /// A request as the client gets it that is to answer it: whole, secrets and all.
    private static func received(_ incoming: Incoming, _ agent: String, _ tunnel: String, _ sequence: Int) -> JSON {
        let text = String(validating: incoming.body, as: UTF8.self)
        return JSON.some([
            "id": .integer(sequence), "agent": .string(agent), "tunnel": .string(tunnel), "method": .string(incoming.method),
            "path": .string(incoming.path), "from": .string(incoming.forwardedFor),
            "headers": .array(incoming.fields.map { .array([.string($0.name), .string($0.value)]) }),
            "body": text.map(JSON.string),
            "body_base64": text == nil ? .string(Data(incoming.body).base64EncodedString()) : nil,
        ])
    }

    private static func text(_ status: Int, _ text: String) -> AgentResponse {
        AgentResponse(
            status: status,
            fields: [AgentField("content-type", "text/plain; charset=utf-8"), AgentField("cache-control", "no-store")],
            body: Array((text + "\n").utf8))
    }

    private static func milliseconds(_ duration: Duration) -> Int {
        Int(duration.components.seconds * 1_000 + duration.components.attoseconds / 1_000_000_000_000_000)
    }
}
