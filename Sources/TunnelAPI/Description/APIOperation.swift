internal import TunnelWire

/// One call of the API as its description tells it.
///
/// Only what is peculiar to the call stands here. What follows from the conventions (control plane, section 2) is added by
/// ``APIDescription``: credentials, path parameters, `Idempotency-Key`, and the problems that every such call may answer.
struct APIOperation: Sendable {
    let method: String
    /// As in the route table.
    private(set) var path: String
    /// What generated clients call it.
    private(set) var id: String
    let tag: APITag
    let summary: String
    let details: String
    /// As in the route table.
    let access: Route.Access
    /// As in the route table: an `Idempotency-Key` makes it happen once.
    let isKeyed: Bool
    /// As in the route table: it counts towards the limits of requests.
    let isMetered: Bool
    let parameters: [APIParameter]
    /// The body that it takes; nil when none is read, or none has to be there.
    let body: JSONSchema?
    /// The body that it takes if there is one.
    let optionalBody: JSONSchema?
    let answers: [DescribedAnswer]

    init(
        _ method: String, _ path: String, _ id: String, _ tag: APITag, _ summary: String, _ details: String = "",
        access: Route.Access, isKeyed: Bool = false, isMetered: Bool = true, parameters: [APIParameter] = [],
        body: JSONSchema? = nil, optionalBody: JSONSchema? = nil,
        answers: [DescribedAnswer]
    ) {
        self.method = method
        self.path = path
        self.id = id
        self.tag = tag
        self.summary = summary
        self.details = details
        self.access = access
        self.isKeyed = isKeyed
        self.isMetered = isMetered
        self.parameters = parameters
        self.body = body
        self.optionalBody = optionalBody
        self.answers = answers
    }

    /// The same call at another path, where a client of another dialect looks for it.
    func also(at path: String, as id: String) -> APIOperation {
        var copy = self
        copy.path = path
        copy.id = id
        return copy
    }
}

/// The groups in which the calls are shown.
enum APITag: String, Sendable, CaseIterable {
    case tunnels = "Tunnels"
    case identities = "Identities"
    case apiKeys = "API keys"
    case apps = "Apps"
    case audit = "Audit"
    case events = "Events"
    case webhooks = "Webhooks"
    case service = "Service"

    var summary: String {
        switch self {
        case .tunnels: "Public names, their state, and the secrets and certificates of their agents."
        case .identities: "Agents by handle, each with its tunnel, and what they do for themselves."
        case .apiKeys: "Credentials of the organization and of its identities."
        case .apps: "Machine clients with a client id and a secret."
        case .audit: "Who did what, append-only."
        case .events: "What happens, as it happens."
        case .webhooks: "Events delivered to the organization's own servers."
        case .service: "What operators, their load balancers and their tools ask."
        }
    }
}

/// A part of the query or a header field that a call reads.
struct APIParameter: Sendable {
    enum Place: String, Sendable { case query, header, path }

    let name: String
    let place: Place
    let text: String
    let schema: JSONSchema

    init(_ name: String, in place: Place = .query, _ schema: JSONSchema, _ text: String) {
        self.name = name
        self.place = place
        self.text = text
        self.schema = schema
    }
}

/// One way in which a call ends.
struct DescribedAnswer: Sendable {
    let status: Int
    let text: String
    let content: Content?
    let headers: [APIHeader]

    struct Content: Sendable {
        let type: String
        let schema: JSONSchema
    }

    /// An answer with a JSON body.
    init(_ status: Int, _ text: String, _ schema: JSONSchema, headers: [APIHeader] = []) {
        self.init(status, text, Content(type: "application/json", schema: schema), headers)
    }

    init(_ status: Int, _ text: String, _ content: Content?, _ headers: [APIHeader] = []) {
        self.status = status
        self.text = text
        self.content = content
        self.headers = headers
    }

    /// A refusal; several with one status are told as one answer.
    static func problem(_ status: Int, _ text: String, headers: [APIHeader] = []) -> DescribedAnswer {
        DescribedAnswer(status, text, Content(type: Problem.contentType, schema: .ref(.problem)), headers)
    }

    /// More than a limit allows.
    static func tooMany(_ text: String) -> DescribedAnswer {
        problem(429, text, headers: [.retryAfter] + APIHeader.rateLimit)
    }
}

/// A header field of an answer.
enum APIHeader: String, Sendable, CaseIterable {
    case requestID = "X-Request-Id"
    case wwwAuthenticate = "WWW-Authenticate"
    case retryAfter = "Retry-After"
    case rateLimitPolicy = "RateLimit-Policy"
    case rateLimitState = "RateLimit"
    case idempotencyReplayed = "Idempotency-Replayed"
    case link = "Link"

    /// How a limit stands after the call.
    static let rateLimit: [APIHeader] = [.rateLimitPolicy, .rateLimitState]

    var text: String {
        switch self {
        case .requestID: "Names this very request, also in the service's log and audit trail."
        case .wwwAuthenticate: "Which credentials are understood (RFC 9110)."
        case .retryAfter: "Seconds after which the same request may succeed."
        case .rateLimitPolicy: "The limits of this call: the most in a window (`q`) and its length in seconds (`w`)."
        case .rateLimitState: "What is left of each limit (`r`), and the seconds until more is (`t`)."
        case .idempotencyReplayed: "`true` when this is the kept answer to an earlier request with the same key."
        case .link: "The next page, with `rel=\"next\"`, only when there is more (RFC 8288)."
        }
    }

    var schema: JSONSchema {
        switch self {
        case .retryAfter: .integer(0...Int(Int32.max))
        case .idempotencyReplayed: .oneOf(["true"])
        case .requestID, .wwwAuthenticate, .rateLimitPolicy, .rateLimitState, .link: .string
        }
    }

    /// Whether it stands in each of the answers that name it.
    var isAlwaysThere: Bool {
        switch self {
        case .requestID, .wwwAuthenticate, .retryAfter: true
        // A kept answer is given again without what told of limits at that time.
        case .rateLimitPolicy, .rateLimitState, .idempotencyReplayed, .link: false
        }
    }
}
