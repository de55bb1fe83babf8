internal import TunnelWire

/// Every bound of this program, each changeable by `--limit NAME=VALUE`.
struct Limits: Sendable, Hashable {
    private(set) var values: [Name: Int] = [:]

    enum Name: String, Sendable, CaseIterable {
        case messageBytes = "message-bytes"
        case headerBytes = "header-bytes"
        case depth
        case batchMessages = "batch-messages"
        case calls
        case waits
        case batchBytes = "batch-bytes"
        case queuedCalls = "queued-calls"
        case queuedBytes = "queued-bytes"
        case outputBytes = "output-bytes"
        case agents
        case capturedRequests = "captured-requests"
        case capturedBytes = "captured-bytes"
        case capturedBodyBytes = "captured-body-bytes"
        case shownBodyCharacters = "shown-body-characters"
        case bodyBytes = "body-bytes"
        case answerSeconds = "answer-seconds"
        case waitSeconds = "wait-seconds"
        case confirmSeconds = "confirm-seconds"
        case connectSeconds = "connect-seconds"
        case drainSeconds = "drain-seconds"
        case finishSeconds = "finish-seconds"
        case subscriptions
        case notifyConnections = "notify-connections"
    }

    subscript(name: Name) -> Int { values[name] ?? name.standard }

    /// Changes a limit; throws what is wrong.
    mutating func set(_ text: String) throws(UsageError) {
        let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
        guard parts.count == 2, let name = Name(rawValue: parts[0]) else {
            let names = Name.allCases.map(\.rawValue).joined(separator: ", ")
            throw UsageError("--limit wants NAME=VALUE with one of these names: \(names)")
        }
        guard let value = Int(parts[1]), name.range.contains(value) else {
            throw UsageError("the limit \(name.rawValue) is a number of \(name.unit) in \(name.range)")
        }
        values[name] = value
    }

    var wire: JSONRPCLimits {
        var wire = JSONRPCLimits()
        wire.messageByteCountMax = self[.messageBytes]
        wire.headerByteCountMax = self[.headerBytes]
        wire.depthMax = self[.depth]
        wire.batchCountMax = self[.batchMessages]
        return wire
    }
}

extension Limits.Name {
    /// Default, range, unit and meaning: the one table that parsing, help, documentation and tests read.
    private var row: (standard: Int, range: ClosedRange<Int>, unit: String, meaning: String) {
        switch self {
        case .messageBytes: (8 << 20, 1024...(256 << 20), "bytes", "one message that is read")
        case .headerBytes: (4096, 64...65536, "bytes", "the header before a message")
        case .depth: (64, 4...512, "levels", "objects and arrays inside one another")
        case .batchMessages: (10_000, 1...1_000_000, "messages", "one batch")
        case .calls: (32, 1...1024, "calls", "calls to the server that run at once; more wait in line")
        case .waits: (64, 1...4096, "calls", "calls that wait for something to happen")
        case .queuedCalls: (16_384, 0...1_000_000, "calls", "calls that wait in line; more are refused")
        case .batchBytes:
            (16 << 20, 1024...(1 << 30), "bytes", "answers that are kept until their batch is complete, in all batches")
        case .queuedBytes:
            (64 << 20, 1024...(1 << 30), "bytes", "parameters of calls that wait, in line or for something to happen")
        case .outputBytes: (16 << 20, 65536...(1 << 30), "bytes", "output not yet read; beyond it input and notifications stop")
        case .agents: (16, 1...256, "agents", "agents that run at once")
        case .capturedRequests: (200, 1...100_000, "requests", "requests that are remembered")
        case .capturedBytes: (16 << 20, 65536...(1 << 30), "bytes", "all that is remembered of them")
        case .capturedBodyBytes: (64 << 10, 0...(64 << 20), "bytes", "what is remembered of one body")
        case .shownBodyCharacters: (8192, 16...1_000_000, "characters", "what a tool shows of one body")
        case .bodyBytes: (8 << 20, 1024...(64 << 20), "bytes", "a third party's body that a handler or a capturing agent takes")
        case .answerSeconds: (30, 1...55, "seconds", "how long a handler may take to answer a request")
        case .waitSeconds: (600, 1...86_400, "seconds", "the longest time a call may wait")
        case .confirmSeconds: (300, 1...3600, "seconds", "how long the user may take to answer, and how long a token is good")
        case .connectSeconds: (15, 1...120, "seconds", "how long the start of an agent waits for its connection")
        case .drainSeconds: (1, 0...60, "seconds", "how long replies may go on when an agent is stopped")
        case .finishSeconds: (30, 0...600, "seconds", "how long calls may go on after the end of input")
        case .notifyConnections: (16, 1...256, "connections", "programs that are connected to the notify socket at once")
        case .subscriptions: (256, 1...10_000, "resources", "resources that are subscribed to")
        }
    }

    var standard: Int { row.standard }
    var range: ClosedRange<Int> { row.range }
    var unit: String { row.unit }
    var meaning: String { row.meaning }
}

extension Limits {
    /// The table in Docs/RPC.md.
    static var markdownTable: String {
        let rows = Name.allCases.map { name in
            let cells = [
                "`\(name.rawValue)`", "\(name.standard) \(name.unit)", "\(name.range.lowerBound)…\(name.range.upperBound)",
                name.meaning,
            ]
            return "| " + cells.joined(separator: " | ") + " |"
        }
        return (["| limit | default | range | what it bounds |", "|---|---|---|---|"] + rows).joined(separator: "\n")
    }
}
