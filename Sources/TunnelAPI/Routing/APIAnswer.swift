internal import HTTPTransport
internal import TunnelService
internal import TunnelWire

/// What a handler answers, before the fields that every response has.
struct APIAnswer: Sendable {
    var status: Int
    var body: [UInt8]
    var fields: HTTPFields
    /// What comes after the body, made while it is sent.
    var rest: (any ResponseBodySource)?

    init(status: Int, body: [UInt8], fields: HTTPFields = HTTPFields()) {
        self.status = status
        self.body = body
        self.fields = fields
    }

    init(_ status: Int, _ value: JSONValue) {
        self.init(status: status, body: value.serialized)
        fields.append("content-type", "application/json")
    }

    init(_ problem: Problem, requestID: String) {
        self.init(status: problem.status, body: problem.document(requestID: requestID).serialized, fields: problem.fields)
        fields.append("content-type", Problem.contentType)
    }

    /// An answer that was kept, given again.
    init(replaying kept: KeptAnswer) {
        self.init(status: kept.status, body: kept.body)
        fields.append("content-type", kept.status < 400 ? "application/json" : Problem.contentType)
        fields.append("idempotency-replayed", "true")
    }

    /// Done, and there is nothing to say.
    static let noContent = APIAnswer(status: 204, body: [])

    /// The same with how its limit stands.
    func limited(by report: RateLimitReport) -> APIAnswer {
        var answer = self
        answer.fields.append(report)
        return answer
    }

    /// As much of it as is given again to a repeated request.
    var kept: KeptAnswer { KeptAnswer(status: status, body: body) }
}
