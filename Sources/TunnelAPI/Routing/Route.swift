internal import HTTPTransport
internal import TunnelDomain
internal import TunnelService
internal import TunnelWire

/// One line of the table that says what the API serves.
struct Route: Sendable {
    let method: String
    let pattern: RoutePattern
    let access: Access
    let body: BodyRule
    let handler: Handler
    /// Whether it counts towards the limits of requests. What load balancers ask must be answered whatever else goes on.
    var isMetered = true

    /// Who may come in.
    enum Access: Sendable {
        case everyone
        /// Holders of a credential that the permission table lets do this.
        case permitted(Permission.Action)
        /// Holders of an identity's key and its rotation secret; the handler judges both.
        case rotationSecret
    }

    /// What the body has to be.
    enum BodyRule: Sendable {
        /// Nothing is read from it; what is there must still be JSON.
        case unused
        case object
        /// An object, or no body at all.
        case objectOrNothing
    }

    enum Handler: Sendable {
        case open(@Sendable () async -> APIAnswer)
        /// Judges by where the request comes from.
        case operators(@Sendable (BufferedRequest) async throws -> APIAnswer)
        case call(@Sendable (APICall) async throws -> APIAnswer)
        /// Answers with a body that is made while it is sent.
        case stream(@Sendable (APICall, StreamWatch) async throws -> APIAnswer)
        /// Creates or rotates something: an `Idempotency-Key` makes it happen once. The handler gives its final answer to
        /// the keeper in the transaction that has the effect.
        case keyed(@Sendable (APICall, AnswerKeeper?) async throws -> APIAnswer)
        /// Judges the credentials itself, and reads its `Idempotency-Key`; a missing body is for it to refuse.
        case unauthenticated(@Sendable (UnauthenticatedCall) async throws -> APIAnswer)
    }
}

/// Keeps an eye on a request whose answer goes on.
struct StreamWatch: Sendable {
    /// Asks again whether the request's credential may do this.
    let isStillAllowed: @Sendable () async throws -> Bool
    /// Hears of the fault that ends the answer.
    let noteFault: @Sendable (any Error) -> Void
}

/// An authenticated, well-formed request on its way to a use case.
struct APICall: Sendable {
    let context: CallContext
    let parameters: [String]
    let target: RequestTarget
    /// The header fields of the request.
    let fields: HTTPFields
    /// The body of a route that reads one.
    let body: JSONValue

    /// The tunnel that the path names; nil for a text that is no id, which is treated like an unknown id.
    var tunnelID: TunnelID? { parameters.first.flatMap { TunnelID($0) } }
}
