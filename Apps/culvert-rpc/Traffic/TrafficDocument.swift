internal import FoundationEssentials
internal import TunnelAgent
internal import TunnelDomain
internal import TunnelWire

/// Captured traffic as a client is shown it: data of strangers, marked as such, without secrets unless asked for.
struct TrafficDocument {
    /// Shows secrets and whole bodies.
    var isRevealing = false
    /// Characters of one body that are shown.
    var bodyCharacterCountMax: Int

    func summary(_ request: CapturedRequest) -> JSON {
        JSON.some([
            "id": .integer(request.sequence), "agent": .string(request.agent), "tunnel": .string(request.tunnel),
            "request_id": request.requestID.map(JSON.string), "replay_of": request.replayOf.map { .integer($0) },
            "received_at": .time(request.receivedAt), "method": .string(request.method),
            "path": .string(isRevealing ? request.path : Redaction.path(request.path)),
            "from": .string(request.forwardedFor), "body_bytes": .integer(request.body.byteCount),
            "is_finished": .bool(request.outcome != nil), "status": request.outcome?.status.map { .integer($0) },
            "duration_ms": request.outcome.map { .integer($0.milliseconds) },
            "problem": request.outcome?.problem.map(JSON.string), "trust": .string("untrusted"),
        ])
    }

    func whole(_ request: CapturedRequest) -> JSON {
        let response = request.outcome.flatMap { outcome in
            outcome.status.map { status in
                JSON.some(["status": .integer(status)]).adding([
                    "headers": headers(outcome.fields), "body": body(outcome.body, outcome.fields),
                ])
            }
        }
        return summary(request).adding([
            "headers": headers(request.fields), "body": body(request.body, request.fields), "response": response,
        ])
    }

    private func headers(_ fields: [AgentField]) -> JSON {
        let shown = isRevealing ? fields : Redaction.fields(fields)
        return .array(shown.map { .array([.string($0.name), .string($0.value)]) })
    }

    /// Text as text, anything else in base64.
    private func body(_ body: CapturedBody, _ fields: [AgentField]) -> JSON {
        guard !isRevealing else {
            guard let text = body.text else { return base64(body, byteCountMax: .max) }
            return .members(["text": .string(text), "is_truncated": .bool(body.isTruncated)])
        }
        switch ShownBody(body, fields) {
        case .text(let clean):
            // First without secrets, then cut: a secret that is cut in two would no longer look like one.
            let shown = String(clean.unicodeScalars.prefix(bodyCharacterCountMax))
            return .members([
                "text": .string(shown), "is_truncated": .bool(body.isTruncated || shown.utf8.count < clean.utf8.count),
            ])
        case .bytes: return base64(body, byteCountMax: bodyCharacterCountMax / 4 * 3)
        case .hidden(let reason):
            return .members(["is_hidden": .bool(true), "reason": .string(reason), "is_truncated": .bool(true)])
        }
    }

    private func base64(_ body: CapturedBody, byteCountMax: Int) -> JSON {
        let shown = body.bytes.prefix(byteCountMax)
        return .members([
            "base64": .string(Data(shown).base64EncodedString()), "is_truncated": .bool(shown.count < body.byteCount),
        ])
    }
}
