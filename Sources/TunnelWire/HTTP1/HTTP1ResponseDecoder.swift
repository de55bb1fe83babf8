/// Turns the bytes that a server sends into responses, however the bytes are cut (RFC 9112).
///
/// Used like `HTTP1RequestDecoder`; besides, it must be told of every request that was sent, by `expectResponse`, and of the
/// end of the connection, by `connectionClosed`. A byte that answers no request is an error: it would be taken for the
/// answer to the next one.
package struct HTTP1ResponseDecoder: Sendable {
    package enum Event: Sendable {
        /// Nothing more can be said before more bytes come; some may have been consumed nevertheless.
        case needMore
        /// With `isInterim` another head follows; with `endsHTTP` the rest of the connection belongs to another protocol.
        case head(HTTPResponseHead, HTTP1ResponseFacts)
        /// These bytes of the input are body.
        case body(Range<Int>)
        /// The message is whole; trailers that may not be trailers are already gone.
        case end(trailers: HTTPFields?)
    }

    private enum State: Sendable {
        case idle, statusLine
        case fields(StatusLine, byteCount: Int)
        case body
        /// After 101 or a successful CONNECT.
        case otherProtocol
        /// The last response was said to be the last one.
        case closed
        case failed(HTTP1Error)
    }

    private let limits: HTTP1Limits
    private var state = State.idle
    private var lines = LineReader()
    private var section = FieldSection()
    private var body = BodyReader(length: .none)
    private var isKeepAlive = true
    private var interimCount = 0
    private var isHead = false
    private var isConnect = false

    package init(limits: HTTP1Limits = HTTP1Limits()) {
        self.limits = limits
    }

    /// Whether a request waits for its answer or the answer has begun and is not over.
    package var isInsideMessage: Bool {
        switch state {
        case .idle, .otherProtocol, .closed, .failed: false
        case .statusLine, .fields, .body: true
        }
    }

    /// Says that a request was sent; the one before must have been answered.
    package mutating func expectResponse(to method: String) {
        guard case .idle = state else { preconditionFailure("one request at a time is sent on a connection") }
        state = .statusLine
        isHead = method == "HEAD"
        isConnect = method == "CONNECT"
        interimCount = 0
    }

    package mutating func receive(_ input: Span<UInt8>) throws(HTTP1Error) -> (consumed: Int, event: Event) {
        do {
            return try advance(input)
        } catch {
            state = .failed(error)
            throw error
        }
    }

    /// Says that the peer closed and every byte was consumed as far as possible.
    /// - Returns: `end` when that was the end of the body, or nil when no message was under way.
    /// - Throws: `HTTP1Error.truncated` when a message was.
    package mutating func connectionClosed() throws(HTTP1Error) -> Event? {
        switch state {
        case .idle, .otherProtocol, .closed: return nil
        case .body where body.endsAtClose:
            state = .closed
            return .end(trailers: nil)
        case .statusLine, .fields, .body:
            state = .failed(.truncated)
            throw .truncated
        case .failed(let error): throw error
        }
    }

    private mutating func advance(_ input: Span<UInt8>) throws(HTTP1Error) -> (consumed: Int, event: Event) {
        switch state {
        case .idle:
            if !input.isEmpty { throw .unsolicitedResponse }
            return (0, .needMore)
        case .statusLine: return try readStatusLine(input)
        case .fields(let line, let byteCount): return try readFields(input, 0, line, byteCount)
        case .body: return try readBody(input)
        case .otherProtocol: return (0, .needMore)
        case .closed: return (input.count, .needMore)
        case .failed(let error): throw error
        }
    }
}

// MARK: - Head

extension HTTP1ResponseDecoder {
    private mutating func readStatusLine(_ input: Span<UInt8>) throws(HTTP1Error) -> (consumed: Int, event: Event) {
        guard let count = try lines.lineByteCount(in: input, from: 0) else {
            if input.count > limits.headByteCountMax { throw .headTooLarge }
            return (0, .needMore)
        }
        guard count + 2 <= limits.headByteCountMax else { throw .headTooLarge }
        let line = try StatusLine(parsing: input.extracting(0..<count))
        section.begin(inputByteCount: input.count - count)
        return try readFields(input, count + 2, line, count + 2)
    }

    private mutating func readFields(
        _ input: Span<UInt8>, _ start: Int, _ line: StatusLine, _ byteCountBefore: Int
    ) throws(HTTP1Error) -> (consumed: Int, event: Event) {
        var offset = start
        var byteCount = byteCountBefore
        while true {
            guard let count = try lines.lineByteCount(in: input, from: offset) else {
                if byteCount + input.count - offset > limits.headByteCountMax { throw .headTooLarge }
                state = .fields(line, byteCount: byteCount)
                return (offset, .needMore)
            }
            byteCount += count + 2
            guard byteCount <= limits.headByteCountMax else { throw .headTooLarge }
            let next = offset + count + 2
            if count == 0 { return (next, try finishHead(line)) }
            try section.append(
                line: input.extracting(offset..<offset + count), countMax: limits.fieldCountMax, in: .response)
            offset = next
        }
    }

    private mutating func finishHead(_ line: StatusLine) throws(HTTP1Error) -> Event {
        let framing = section.framing
        let head = HTTPResponseHead(status: line.status, fields: section.take())
        var facts = HTTP1ResponseFacts(
            version: line.version, bodyLength: try bodyLength(line, framing),
            isKeepAlive: framing.isKeepAlive(version: line.version), isInterim: false, endsHTTP: false, upgrade: framing.upgrade
        )
        if line.status == 101 || isConnect && (200...299).contains(line.status) {
            facts.endsHTTP = true
            facts.isKeepAlive = false
            state = .otherProtocol
        } else if line.status < 200 {
            facts.isInterim = true
            interimCount += 1
            guard interimCount <= limits.interimHeadCountMax else { throw .tooManyInterimHeads }
            state = .statusLine
        } else {
            // A length where no body may be is a server's mistake; nothing that follows can be trusted.
            if facts.bodyLength == .untilClose || line.status == 204 && framing.announcesContent { facts.isKeepAlive = false }
            isKeepAlive = facts.isKeepAlive
            body = BodyReader(length: facts.bodyLength)
            state = .body
        }
        return .head(head, facts)
    }

    /// RFC 9112 §6.3, rules 1 to 8; the lengths are checked even where they do not count.
    private func bodyLength(_ line: StatusLine, _ framing: FramingFields) throws(HTTP1Error) -> HTTP1BodyLength {
        let length = try framing.bodyLength(absent: .untilClose, version: line.version)
        let hasNoBody = isHead || line.status < 200 || line.status == 204 || line.status == 304
        return hasNoBody || isConnect && line.status < 300 ? .none : length
    }
}

// MARK: - Body

extension HTTP1ResponseDecoder {
    private mutating func readBody(_ input: Span<UInt8>) throws(HTTP1Error) -> (consumed: Int, event: Event) {
        switch try body.next(in: input, limits: limits) {
        case .needMore(let consumed): return (consumed, .needMore)
        case .data(let range): return (range.upperBound, .body(range))
        case .end(let consumed, let trailers):
            state = isKeepAlive ? .idle : .closed
            return (consumed, .end(trailers: trailers))
        }
    }
}
