internal import TunnelDomain
internal import TunnelService

/// One line of the table that says what the API serves.
struct Route: Sendable {
    let method: String
    let pattern: RoutePattern
    let access: Access
    let body: BodyRule
    let handler: Handler

    /// Who may come in.
    enum Access: Sendable {
        case everyone
        /// Holders of a credential that the permission table lets do this.
        case permitted(Permission.Action)
    }

    /// What the body has to be.
    enum BodyRule: Sendable {
        /// Nothing is read from it; what is there must still be JSON.
        case unused
        case object
    }

    enum Handler: Sendable {
        case open(@Sendable () async -> APIAnswer)
        case call(@Sendable (APICall) async throws -> APIAnswer)
        /// Creates or rotates something: an `Idempotency-Key` makes it happen once. The handler gives its final answer to
        /// the keeper in the transaction that has the effect.
        case keyed(@Sendable (APICall, AnswerKeeper?) async throws -> APIAnswer)
    }
}

/// An authenticated, well-formed request on its way to a use case.
struct APICall: Sendable {
    let context: CallContext
    let parameters: [String]
    let target: RequestTarget
    /// The body of a route that reads one.
    let body: JSONValue

    /// The tunnel that the path names; nil for a text that is no id, which is treated like an unknown id.
    var tunnelID: TunnelID? { parameters.first.flatMap { TunnelID($0) } }
}
