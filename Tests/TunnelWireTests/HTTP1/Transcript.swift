@testable import TunnelWire

/// What a decoder said about some bytes, as lines of text; neighbouring body pieces are one line, so that the same bytes in
/// other cuts give the same transcript.
struct Transcript: Hashable {
    private(set) var lines: [String] = []
    private var isInsideBody = false

    /// Feeds the bytes in pieces that end at these offsets, and then the rest.
    static func ofRequests(
        _ bytes: [UInt8], cuts: [Int] = [], limits: HTTP1Limits = HTTP1Limits()
    ) throws(HTTP1Error) -> Transcript {
        var transcript = Transcript()
        var decoder = HTTP1RequestDecoder(limits: limits)
        var pending: [UInt8] = []
        for piece in pieces(bytes, cuts) {
            pending += piece
            feeding: while true {
                let (consumed, event) = try decoder.receive(pending.span)
                switch event {
                case .needMore: break
                case .head(let head, let facts): transcript.note(head, facts)
                case .body(let range): transcript.note(body: pending[range])
                case .end(let trailers): transcript.note(end: trailers)
                }
                pending.removeFirst(consumed)
                if case .needMore = event { break feeding }
            }
        }
        return transcript
    }

    static func ofRequests(_ text: String) throws(HTTP1Error) -> Transcript { try ofRequests(Array(text.utf8)) }

    private static func pieces(_ bytes: [UInt8], _ cuts: [Int]) -> [ArraySlice<UInt8>] {
        let ends = cuts + [bytes.count]
        return zip([0] + cuts, ends).map { bytes[$0..<$1] }
    }

    private mutating func note(_ head: HTTPRequestHead, _ facts: HTTP1RequestFacts) {
        var line = "head \(head.method) \(head.target) \(head.authority) \(facts.version) \(facts.bodyLength)"
        line += facts.isKeepAlive ? " keepAlive" : ""
        line += facts.expectsContinue ? " expectsContinue" : ""
        line += facts.upgrade.map { " upgrade=\($0)" } ?? ""
        append(line)
        note(head.fields)
    }

    private mutating func note(body: ArraySlice<UInt8>) {
        let text = String(decoding: body, as: UTF8.self)
        if isInsideBody {
            lines[lines.count - 1] += text
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
