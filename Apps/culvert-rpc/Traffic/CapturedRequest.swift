internal import TunnelAgent
internal import TunnelDomain

/// A third party's request and what it was answered, as this process remembers them.
struct CapturedRequest: Sendable {
    /// Rises by one with every request of this process, from 1.
    var sequence: Int
    var agent: String
    var tunnel: String
    /// The server's id of the request; nil for one that was replayed here.
    var requestID: String?
    /// The sequence of the request that this one repeats.
    var replayOf: Int?
    var receivedAt: Timestamp
    var method: String
    /// Path and query as they came.
    var path: String
    var fields: [AgentField]
    /// The third party's address as the server saw it.
    var forwardedFor: String
    var body: CapturedBody
    var outcome: Outcome?

    /// How it ended.
    struct Outcome: Sendable {
        /// Nil when there was no answer.
        var status: Int?
        var fields: [AgentField] = []
        var body = CapturedBody()
        var milliseconds: Int
        var problem: String?
    }

    /// What it costs to remember, in bytes.
    var byteCount: Int {
        let text = method.utf8.count + path.utf8.count + 256
        return text + body.bytes.count + Self.byteCount(fields)
            + (outcome.map { $0.body.bytes.count + Self.byteCount($0.fields) } ?? 0)
    }

    private static func byteCount(_ fields: [AgentField]) -> Int {
        fields.reduce(0) { $0 + $1.name.utf8.count + $1.value.utf8.count + 32 }
    }
}

/// The beginning of a body, and how long it was.
struct CapturedBody: Sendable, Hashable {
    var bytes: [UInt8]
    var byteCount: Int

    init(_ bytes: [UInt8] = [], keeping byteCountMax: Int = .max) {
        self.bytes = Array(bytes.prefix(byteCountMax))
        byteCount = bytes.count
    }

    var isTruncated: Bool { bytes.count < byteCount }
}
