internal import TunnelWire

/// What other programs meet at the notify socket: whatever they call is an event, and goes on to the client.
///
/// A notification that does not reach the client is lost without a word; a request is answered when the client was told, or
/// with the reason why it was not.
struct NotifyFront: SessionFront {
    let forward: @Sendable (ForeignEvent) throws -> Void

    func work(for method: String, _ call: Call, isNotification: Bool) -> Result<Work, JSONRPCError> {
        Result { () throws(JSONRPCError) in
            let event = try ForeignEvent(method: method, call.params)
            return .now { _ in
                try forward(event)
                return .members(["is_told": .bool(true)])
            }
        }
    }

    func reporter(_ method: String, _ params: JSONRPCParams, _ session: Session) -> (@Sendable (Progress) -> Void)? { nil }

    func error(_ error: any Error) -> JSONRPCError { RPCFailure.describe(error) }
}
