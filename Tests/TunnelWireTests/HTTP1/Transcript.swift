@testable import TunnelWire

/// What a decoder said about some bytes, as lines of text; neighbouring body pieces are one line, so that the same bytes in
/// other cuts give the same transcript. An error is its last line.
struct Transcript: Hashable {
    private(set) var lines: [String] = []
    private var isInsideBody = false

    /// Feeds the bytes in pieces that end at these offsets, and then the rest.
    static func ofRequests(_ bytes: [UInt8], cuts: [Int] = [], limits: HTTP1Limits = HTTP1Limits()) -> Transcript {
        var transcript = Transcript()
        var decoder = HTTP1RequestDecoder(limits: limits)
        do {
            try feed(bytes, cuts) { (pending) throws(HTTP1Error) in
                let (consumed, event) = try decoder.receive(pending.span)
                switch event {
                case .needMore: return (consumed, false)
                case .head(let head, let facts): transcript.note(head, facts)
                case .body(let range): transcript.note(body: pending[range])
                case .end(let trailers): transcript.note(end: trailers)
                }
                return (consumed, true)
            }
        } catch {
            transcript.append("error \(error)")
        }
        return transcript
    }

    /// Feeds one response to a request of this method, and then the end of the connection.
    static func ofResponse(
        _ bytes: [UInt8], to method: String, cuts: [Int] = [], limits: HTTP1Limits = HTTP1Limits()
    ) -> Transcript {
        var transcript = Transcript()
        var decoder = HTTP1ResponseDecoder(limits: limits)
        decoder.expectResponse(to: method)
        do {
            try feed(bytes, cuts) { (pending) throws(HTTP1Error) in
                let (consumed, event) = try decoder.receive(pending.span)
                return (consumed, transcript.note(event, pending))
            }
            if let event = try decoder.connectionClosed() { _ = transcript.note(event, []) }
        } catch {
            transcript.append("error \(error)")
        }
        return transcript
    }

    static func ofRequests(_ text: String) -> Transcript { ofRequests(Array(text.utf8)) }

    /// What the last line says went wrong, or nil.
    var error: String? {
        guard let last = lines.last, last.hasPrefix("error ") else { return nil }
        return String(last.dropFirst(6))
    }

    private static func feed(
        _ bytes: [UInt8], _ cuts: [Int], _ step: ([UInt8]) throws(HTTP1Error) -> (consumed: Int, isProgress: Bool)
    ) throws(HTTP1Error) {
        var pending: [UInt8] = []
        for (start, end) in zip([0] + cuts, cuts + [bytes.count]) {
            pending += bytes[start..<end]
            var isProgress = true
            while isProgress {
                let answer = try step(pending)
                pending.removeFirst(answer.consumed)
                isProgress = answer.isProgress
            }
        }
    }
}

// MARK: - Lines

extension Transcript {
    private mutating func note(_ head: HTTPRequestHead, _ facts: HTTP1RequestFacts) {
        var line = "head \(head.method) \(head.target) \(head.authority) \(facts.version) \(facts.bodyLength)"
        line += facts.isKeepAlive ? " keepAlive" : ""
        line += facts.expectsContinue ? " expectsContinue" : ""
        line += facts.upgrade.map { " upgrade=\($0)" } ?? ""
        append(line)
        note(head.fields)
    }

    private mutating func note(_ event: HTTP1ResponseDecoder.Event, _ pending: [UInt8]) -> Bool {
        switch event {
        case .needMore: return false
        case .head(let head, let facts):
            var line = "head \(head.status) \(facts.version) \(facts.bodyLength)"
            line += facts.isKeepAlive ? " keepAlive" : ""
            line += facts.isInterim ? " interim" : ""
            line += facts.endsHTTP ? " endsHTTP" : ""
            append(line + (facts.upgrade.map { " upgrade=\($0)" } ?? ""))
            note(head.fields)
        case .body(let range): note(body: pending[range])
        case .end(let trailers): note(end: trailers)
        }
        return true
    }

    private mutating func note(body: ArraySlice<UInt8>) {
        let text = body.map { String($0, radix: 16) }.joined(separator: " ")
        if isInsideBody {
            lines[lines.count - 1] += " " + text
        } else {
            append("body " + text)
            isInsideBody = true
        }
    }

    private mutating func note(end trailers: HTTPFields?) {
        append("end")
        if let trailers { note(trailers) }
    }

    private mutating func note(_ fields: HTTPFields) {
        for (name, value) in fields.pairs { append("  \(name): \(value)") }
    }

    private mutating func append(_ line: String) {
        lines.append(line)
        isInsideBody = false
    }
}
