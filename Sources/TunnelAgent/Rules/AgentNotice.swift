internal import TunnelWire

/// An answer that the agent gives itself.
enum AgentNotice {
    case notice(TunnelNotice)
    /// In the words of whoever configured the agent.
    case text(AgentRefusal)

    /// The value of `inkbox-reason`.
    var code: String {
        switch self {
        case .notice(let notice): notice.code
        case .text: TunnelNotice.addressNotAllowed.code
        }
    }

    func answer(to envelope: RequestEnvelope) -> (head: HTTPResponseHead, body: [UInt8]) {
        switch self {
        case .notice(let notice) where envelope.isGRPCCall: return (notice.gRPCAnswer(requestID: envelope.requestID), [])
        case .notice(let notice):
            var answer = notice.answer(requestID: envelope.requestID, to: envelope.fields)
            // RFC 7617 section 2: the client needs to know which password is wanted.
            if notice.status == 401 {
                answer.head.fields.append("www-authenticate", "Basic realm=\"tunnel\", charset=\"UTF-8\"")
            }
            return answer
        case .text(let refusal):
            var head = HTTPResponseHead(status: refusal.status)
            let body = Array(refusal.text.utf8)
            head.fields.append("content-type", "text/plain; charset=utf-8")
            head.fields.append("cache-control", "no-store")
            head.fields.append("content-length", String(body.count))
            return (head, body)
        }
    }
}

extension TunnelNotice {
    static let unsafePath = TunnelNotice(
        status: 400, code: "unsafe-path", title: "Path refused",
        reason: "The path has segments that could leave the served folder.",
        forVisitor: "Leave out what climbs, such as \"..\", and what is encoded twice.")
    static let addressNotAllowed = TunnelNotice(
        status: 403, code: "address-not-allowed", title: "Not allowed from here",
        reason: "This tunnel answers only certain addresses, and yours is none of them.",
        forVisitor: "Ask its owner to let you in.",
        forOwner: "Add the address to the agent's list (--allow-from, or \"allowFrom\" in its configuration).")
    static let passwordNeeded = TunnelNotice(
        status: 401, code: "password-needed", title: "Password needed",
        reason: "This tunnel asks for a name and a password.",
        forVisitor: "Give the ones that you got from its owner.")
    static let targetUnreachable = TunnelNotice(
        status: 502, code: "target-unreachable", title: "Nothing answers behind the tunnel",
        reason: "The tunnel's agent is connected, but the program behind it cannot be reached.",
        forVisitor: "Try again later.",
        forOwner: "Start the program; the agent's log says where it was looked for.")
    static let targetFailed = TunnelNotice(
        status: 502, code: "target-failed", title: "The program behind the tunnel broke off",
        reason: "The program behind the tunnel broke off before it answered.",
        forVisitor: "Before you send it again, think of what it does: the request may have been carried out.",
        forOwner: "See the program's log, and the agent's.")
    static let badResponse = TunnelNotice(
        status: 502, code: "target-bad-response", title: "Invalid answer behind the tunnel",
        reason: "The program behind the tunnel answered with something that is not HTTP.",
        forVisitor: "Try again later, or tell its owner.", forOwner: "See in the agent's log what was wrong with it.")
}
