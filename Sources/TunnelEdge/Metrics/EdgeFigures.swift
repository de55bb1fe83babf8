internal import TunnelDomain
package import TunnelWire

/// What one loop of the edge has counted since its start and holds at the moment, or what all loops do together.
///
/// Plain integers: a loop touches only its own, and a scrape adds up what the loops hand out.
package struct EdgeFigures: Sendable {
    /// Answers to third parties by the first digit of their status, 1 to 5.
    private(set) var answers = [0, 0, 0, 0, 0]
    /// Answers in a tunnel's stead, by the refusal's raw value.
    private(set) var refusals = Array(repeating: 0, count: Refusal.allCases.count)
    private(set) var hellos = Array(repeating: 0, count: HelloOutcome.allCases.count)
    var abandonedCount = 0
    var brokenReplyCount = 0
    var requestBodyByteCount = 0
    var replyBodyByteCount = 0
    var webSocketsOpenedCount = 0
    var supersededCount = 0
    private(set) var requestTimes = DurationHistogram(.requests)
    private(set) var firstByteTimes = DurationHistogram(.requests)

    // What is open now; filled in when somebody asks.
    var connections = Array(repeating: 0, count: ConnectionKind.allCases.count)
    var queuedCount = 0
    var parkedCount = 0
    var webSocketCount = 0
    var receivedByteCount = 0
    var sentByteCount = 0

    package init() {}

    /// What an agent's hello was answered.
    enum HelloOutcome: Int, CaseIterable {
        case accepted, malformed, refusedCredential, refusedTunnel, refusedKey, supersededTooOften, draining, storeUnavailable

        var label: String {
            switch self {
            case .accepted: "accepted"
            case .malformed: "malformed"
            case .refusedCredential: "refused_credential"
            case .refusedTunnel: "refused_tunnel"
            case .refusedKey: "refused_key"
            case .supersededTooOften: "superseded_too_often"
            case .draining: "draining"
            case .storeUnavailable: "store_unavailable"
            }
        }
    }

    /// What an open connection has shown itself to be.
    enum ConnectionKind: Int, CaseIterable {
        case thirdParty, agent, api, undecided

        var label: String {
            switch self {
            case .thirdParty: "third_party"
            case .agent: "agent"
            case .api: "api"
            case .undecided: "undecided"
            }
        }
    }
}

// MARK: - Counting

extension EdgeFigures {
    /// The head of an answer to a third party leaves.
    mutating func answered(status: Int, afterNanoseconds nanoseconds: Int64) {
        count(status: status)
        firstByteTimes.record(nanoseconds: nanoseconds)
    }

    mutating func refused(_ refusal: Refusal, status: Int) {
        count(status: status)
        refusals[refusal.rawValue] += 1
    }

    mutating func helloAnswered(_ outcome: HelloOutcome) { hellos[outcome.rawValue] += 1 }

    mutating func requestOver(afterNanoseconds nanoseconds: Int64) { requestTimes.record(nanoseconds: nanoseconds) }

    private mutating func count(status: Int) {
        let place = status / 100 - 1
        if answers.indices.contains(place) { answers[place] += 1 }
    }

    package static func += (sum: inout EdgeFigures, other: EdgeFigures) {
        sum.answers.add(other.answers)
        sum.refusals.add(other.refusals)
        sum.hellos.add(other.hellos)
        sum.connections.add(other.connections)
        for path in countPaths { sum[keyPath: path] += other[keyPath: path] }
        sum.requestTimes += other.requestTimes
        sum.firstByteTimes += other.firstByteTimes
    }

    private static var countPaths: [WritableKeyPath<EdgeFigures, Int>] {
        [
            \.abandonedCount, \.brokenReplyCount, \.requestBodyByteCount, \.replyBodyByteCount, \.webSocketsOpenedCount,
            \.supersededCount, \.queuedCount, \.parkedCount, \.webSocketCount, \.receivedByteCount, \.sentByteCount,
        ]
    }
}

extension [Int] {
    fileprivate mutating func add(_ others: [Int]) {
        for place in others.indices { self[place] += others[place] }
    }
}

// MARK: - Telling

extension EdgeFigures {
    /// Writes the figures onto the page.
    package func add(to page: inout MetricPage) {
        for (place, count) in answers.enumerated() { page.add(.requests, "\(place + 1)xx", count: count) }
        for refusal in Refusal.allCases { page.add(.refusals, refusal.code, count: refusals[refusal.rawValue]) }
        for outcome in HelloOutcome.allCases { page.add(.hellos, outcome.label, count: hellos[outcome.rawValue]) }
        for kind in ConnectionKind.allCases { page.add(.connections, kind.label, count: connections[kind.rawValue]) }
        page.add(.abandonedRequests, count: abandonedCount)
        page.add(.brokenReplies, count: brokenReplyCount)
        page.add(.bodyBytes, "in", count: requestBodyByteCount)
        page.add(.bodyBytes, "out", count: replyBodyByteCount)
        page.add(.socketBytes, "in", count: receivedByteCount)
        page.add(.socketBytes, "out", count: sentByteCount)
        page.add(.requestSeconds, histogram: requestTimes)
        page.add(.firstByteSeconds, histogram: firstByteTimes)
        page.add(.queuedRequests, count: queuedCount)
        page.add(.parkedIntakes, count: parkedCount)
        page.add(.webSockets, count: webSocketCount)
        page.add(.webSocketsOpened, count: webSocketsOpenedCount)
        page.add(.superseded, count: supersededCount)
    }
}
