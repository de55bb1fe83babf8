internal import HTTPTransport
internal import TunnelWire

/// Why a third party gets no answer from the tunnel (data plane, section 5).
package enum Refusal: Hashable, Sendable, CaseIterable {
    case noSuchTunnel, tunnelInactive, agentOffline, agentBusy, responseDeadlineExceeded, agentDisconnected
    case requestTooLarge, headersTooLarge, invalidHeader, invalidRequest, invalidReply, misdirected, tooManyConnections
    case unsupportedMethod

    package var status: Int {
        switch self {
        case .noSuchTunnel, .tunnelInactive: 404
        case .agentOffline, .agentDisconnected, .invalidReply: 502
        case .agentBusy, .tooManyConnections: 503
        case .responseDeadlineExceeded: 504
        case .requestTooLarge: 413
        case .headersTooLarge: 431
        case .invalidHeader, .invalidRequest: 400
        case .misdirected: 421
        case .unsupportedMethod: 501
        }
    }

    /// The value of `inkbox-reason`: stable, for programs.
    package var code: String {
        switch self {
        case .noSuchTunnel: "no-such-tunnel"
        case .tunnelInactive: "tunnel-inactive"
        case .agentOffline: "agent-offline"
        case .agentBusy: "agent-busy"
        case .responseDeadlineExceeded: "response-deadline-exceeded"
        case .agentDisconnected: "agent-disconnected"
        case .requestTooLarge: "request-too-large"
        case .headersTooLarge: "headers-too-large"
        case .invalidHeader: "invalid-header"
        case .invalidRequest: "invalid-request"
        case .invalidReply: "invalid-reply"
        case .misdirected: "misdirected"
        case .tooManyConnections: "too-many-connections"
        case .unsupportedMethod: "unsupported-method"
        }
    }

    package var title: String {
        switch self {
        case .noSuchTunnel: "No such tunnel"
        case .tunnelInactive: "Tunnel inactive"
        case .agentOffline: "Tunnel offline"
        case .agentBusy: "Tunnel busy"
        case .responseDeadlineExceeded: "No answer in time"
        case .agentDisconnected: "Connection to the tunnel lost"
        case .requestTooLarge: "Request too large"
        case .headersTooLarge: "Headers too large"
        case .invalidHeader: "Invalid header"
        case .invalidRequest: "Invalid request"
        case .invalidReply: "Invalid reply from the tunnel"
        case .misdirected: "Misdirected request"
        case .tooManyConnections: "Too many connections"
        case .unsupportedMethod: "Method not supported"
        }
    }

    /// What happened and what to do, for people.
    package var detail: String {
        switch self {
        case .noSuchTunnel: "There is no tunnel with this name here. Check the address."
        case .tunnelInactive: "This tunnel is not active. Its owner can restore it or finish setting it up."
        case .agentOffline:
            "The program behind this tunnel is not connected. If it is yours, start its agent; otherwise try again later."
        case .agentBusy: "The program behind this tunnel has all hands full. Try again in a moment."
        case .responseDeadlineExceeded:
            "The program behind this tunnel did not answer in time. The request may still have been carried out."
        case .agentDisconnected:
            "The connection to the program behind this tunnel broke before it answered. The request may have been carried out."
        case .requestTooLarge: "The request is larger than this tunnel takes."
        case .headersTooLarge: "The request's headers are larger than this tunnel takes. Send fewer or smaller ones."
        case .invalidHeader: "A header value of the request is not UTF-8, which the tunnel's agent cannot read. Encode it."
        case .invalidRequest: "The request's method or path has a character that HTTP does not allow."
        case .invalidReply: "The program behind this tunnel answered with something that is not HTTP."
        case .misdirected: "This connection was opened for another host. Open a new one for this host."
        case .tooManyConnections: "This tunnel has as many connections as it takes. Try again in a moment."
        case .unsupportedMethod: "This method cannot pass through a tunnel."
        }
    }

    private var retryAfterSeconds: Int? {
        switch self {
        case .agentBusy, .tooManyConnections: 1
        case .noSuchTunnel, .tunnelInactive, .agentOffline, .responseDeadlineExceeded, .agentDisconnected, .requestTooLarge,
            .headersTooLarge, .invalidHeader, .invalidRequest, .invalidReply, .misdirected, .unsupportedMethod:
            nil
        }
    }

    /// The whole answer: HTML for clients that prefer it, problem+json for the rest.
    func response(requestID: String, prefersHTML: Bool) -> (head: HTTPResponseHead, body: [UInt8]) {
        var fields = HTTPFields()
        fields.append("content-type", prefersHTML ? "text/html; charset=utf-8" : "application/problem+json")
        fields.append("cache-control", "no-store")
        fields.append("inkbox-reason", code)
        fields.append("x-request-id", requestID)
        if let retryAfterSeconds { fields.append("retry-after", String(retryAfterSeconds)) }
        let body = prefersHTML ? html(requestID: requestID) : problem(requestID: requestID)
        fields.append("content-length", String(body.count))
        return (HTTPResponseHead(status: status, fields: fields), body)
    }

    /// The answer to a message that was no request; its own status and words say what was wrong.
    func response(_ refusal: MessageRefusal, requestID: String) -> BufferedResponse {
        var fields = HTTPFields()
        fields.append("content-type", ProblemDetails.contentType)
        fields.append("cache-control", "no-store")
        fields.append("inkbox-reason", code)
        fields.append("x-request-id", requestID)
        let problem = ProblemDetails(
            type: "urn:culvert:problem:\(code)", title: title, status: refusal.status, detail: refusal.explanation,
            extensions: [.init("code", .string(code)), .init("request_id", .string(requestID))])
        return BufferedResponse(status: refusal.status, fields: fields, body: problem.json())
    }

    private func problem(requestID: String) -> [UInt8] {
        ProblemDetails(
            type: "urn:culvert:problem:\(code)", title: title, status: status, detail: detail,
            extensions: [.init("code", .string(code)), .init("request_id", .string(requestID))]
        ).json()
    }

    private func html(requestID: String) -> [UInt8] { Array(OfflinePage.html(self, requestID: requestID).utf8) }
}
