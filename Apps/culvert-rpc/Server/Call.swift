internal import TunnelWire

/// One call on its way to the code that answers it.
struct Call: Sendable {
    var id: JSONRPCID?
    var params: JSONRPCParams
    /// Tells the client how far the call is; nil when it has not asked.
    var report: (@Sendable (Progress) -> Void)?
}

/// How far a call is.
struct Progress: Sendable, Hashable {
    /// Rises with every report of a call.
    var done: Double
    var total: Double?
    var message: String
}

/// What a method does when it is called.
enum Work: Sendable {
    /// Answered on the spot: no waiting, no network.
    case now(@Sendable (Call) throws -> JSON)
    /// In a task of its own.
    case later(CallLedger.Lane, @Sendable (Call) async throws -> JSON)
}

/// What is told to the client unasked.
enum Notice: Sendable {
    case agentStatus(agent: JSON, tunnel: String)
    case requestReceived(JSON)
    /// The third party of a request that waits for its answer has gone, or was answered otherwise.
    case requestGone(id: String, reason: String)
    case requestFinished(CapturedRequest, agent: String)
    case event(JSON)
    case log(level: LogLevel, message: String)
}

/// Severity, as RFC 5424 section 6.2.1 orders it from the least.
enum LogLevel: String, Sendable, CaseIterable, Comparable {
    case debug, info, notice, warning, error, critical, alert, emergency

    static func < (left: LogLevel, right: LogLevel) -> Bool {
        allCases.firstIndex(of: left) ?? 0 < allCases.firstIndex(of: right) ?? 0
    }
}
