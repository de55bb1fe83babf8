internal import HTTPTransport
internal import TunnelWire

/// Why a third party gets no answer from the tunnel (data plane, section 5).
package enum Refusal: Int, Sendable, CaseIterable {
    case noSuchTunnel, tunnelInactive, agentOffline, agentBusy, responseDeadlineExceeded, agentDisconnected
    case requestTooLarge, headersTooLarge, invalidHeader, invalidRequest, invalidReply, misdirected, tooManyConnections
    case unsupportedMethod, malformedUpgrade, unsupportedWebSocketVersion, passthroughOnly, agentWithoutTrailers
    case tooManyRequests

    package var status: Int {
        switch self {
        case .noSuchTunnel, .tunnelInactive: 404
        case .agentOffline, .agentDisconnected, .invalidReply: 502
        case .agentBusy, .tooManyConnections: 503
        case .responseDeadlineExceeded: 504
        case .requestTooLarge: 413
        case .headersTooLarge: 431
        case .invalidHeader, .invalidRequest, .malformedUpgrade: 400
        case .unsupportedWebSocketVersion: 426
        case .misdirected, .passthroughOnly: 421
        case .tooManyRequests: 429
        case .unsupportedMethod, .agentWithoutTrailers: 501
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
        case .passthroughOnly: "passthrough-only"
        case .tooManyConnections: "too-many-connections"
        case .tooManyRequests: "too-many-requests"
        case .unsupportedMethod: "unsupported-method"
        case .malformedUpgrade: "malformed-upgrade"
        case .unsupportedWebSocketVersion: "unsupported-websocket-version"
        case .agentWithoutTrailers: "agent-without-trailers"
        }
    }

    private var retryAfterSeconds: Int? {
        switch self {
        case .agentBusy, .tooManyConnections, .tooManyRequests: 1
        case .noSuchTunnel, .tunnelInactive, .agentOffline, .responseDeadlineExceeded, .agentDisconnected, .requestTooLarge,
            .headersTooLarge, .invalidHeader, .invalidRequest, .invalidReply, .misdirected, .unsupportedMethod,
            .malformedUpgrade, .unsupportedWebSocketVersion, .passthroughOnly,
            .agentWithoutTrailers:
            nil
        }
    }

    /// The whole answer, in the form that the request's `Accept` asks for.
    func response(requestID: String, to request: HTTPFields) -> (head: HTTPResponseHead, body: [UInt8]) {
        var answer = notice.answer(requestID: requestID, to: request)
        answer.head.fields.append("inkbox-reason", code)
        if let retryAfterSeconds { answer.head.fields.append("retry-after", String(retryAfterSeconds)) }
        if self == .unsupportedWebSocketVersion {
            answer.head.fields.append("sec-websocket-version", WebSocketHandshake.version)
        }
        return answer
    }

    /// The answer to a message that was no request; its own status and words say what was wrong.
    func response(_ refusal: MessageRefusal, requestID: String) -> BufferedResponse {
        var fields = HTTPFields()
        fields.append("content-type", ProblemDetails.contentType)
        fields.append("cache-control", "no-store")
        fields.append("inkbox-reason", code)
        fields.append("x-request-id", requestID)
        let problem = ProblemDetails(
            type: "urn:culvert:problem:\(code)", title: notice.title, status: refusal.status, detail: refusal.explanation,
            extensions: [.init("code", .string(code)), .init("request_id", .string(requestID))])
        return BufferedResponse(status: refusal.status, fields: fields, body: problem.json())
    }
}
