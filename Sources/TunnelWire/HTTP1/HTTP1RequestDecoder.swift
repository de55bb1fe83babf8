/// Turns the bytes that a client sends into requests, however the bytes are cut (RFC 9112).
///
/// Pass everything that has arrived and was not consumed yet; the answer says how many bytes were consumed and what they
/// were. Call again with the rest until the answer is `needMore`, then keep the rest and wait. After `end` the next head may
/// follow. After an error nothing more is read: every later call throws the same error.
package struct HTTP1RequestDecoder: Sendable {
    package enum Event: Sendable {
        /// Nothing more can be said before more bytes come; some may have been consumed nevertheless.
        case needMore
        case head(HTTPRequestHead, HTTP1RequestFacts)
        /// These bytes of the input are body.
        case body(Range<Int>)
        /// The message is whole; trailers that may not be trailers are already gone.
        case end(trailers: HTTPFields?)
    }

    private enum State: Sendable {
        case requestLine(emptyLineAllowed: Bool)
        case fields(RequestLine, byteCount: Int)
        case body
        /// The client said that this request is the last one: what follows is thrown away unread.
        case closed
        case failed(HTTP1Error)
    }

    private let limits: HTTP1Limits
    private let scheme: String
    private var state = State.requestLine(emptyLineAllowed: true)
    private var lines = LineReader()
    private var section = FieldSection()
    private var body = BodyReader(length: .none)
    private var isKeepAlive = true

    /// - Parameter scheme: `http` or `https`, as the connection is; goes into every head.
    package init(limits: HTTP1Limits = HTTP1Limits(), scheme: String = "https") {
        self.limits = limits
        self.scheme = scheme
    }

    /// Whether a request has begun and is not over: a connection that closes now was cut short.
    package var isInsideMessage: Bool {
        switch state {
        case .requestLine, .closed, .failed: false
        case .fields, .body: true
        }
    }

    package mutating func receive(_ input: Span<UInt8>) throws(HTTP1Error) -> (consumed: Int, event: Event) {
        do {
            return try advance(input)
        } catch {
            state = .failed(error)
            throw error
        }
    }

    private mutating func advance(_ input: Span<UInt8>) throws(HTTP1Error) -> (consumed: Int, event: Event) {
        switch state {
        case .requestLine(let emptyLineAllowed): return try readRequestLine(input, emptyLineAllowed)
        case .fields(let line, let byteCount): return try readFields(input, 0, line, byteCount)
        case .body: return try readBody(input)
        case .closed: return (input.count, .needMore)
        case .failed(let error): throw error
        }
    }
}

// MARK: - Head

extension HTTP1RequestDecoder {
    private mutating func readRequestLine(
        _ input: Span<UInt8>, _ emptyLineAllowed: Bool
    ) throws(HTTP1Error) -> (consumed: Int, event: Event) {
        if let error = errorOfFirstBytes(input) { throw error }
        // METHOD SP TARGET SP HTTP/1.1 at their longest.
        let byteCountMax = limits.methodByteCountMax + limits.targetByteCountMax + 10
        guard let count = try lines.lineByteCount(in: input, from: 0) else {
            if input.count > byteCountMax + 1 { throw .targetTooLong }
            return (0, .needMore)
        }
        if count == 0 { return try skipEmptyLine(input, emptyLineAllowed) }
        guard count <= byteCountMax else { throw .targetTooLong }
        let line = try RequestLine(parsing: input.extracting(0..<count), limits: limits)
        section.begin(inputByteCount: input.count - count)
        return try readFields(input, count + 2, line, count + 2)
    }

    /// What cannot begin a method is refused at once: a TLS handshake on a plain port, say, never sends a line end.
    private func errorOfFirstBytes(_ input: Span<UInt8>) -> HTTP1Error? {
        if input.isEmpty || HTTPSyntax.isToken(input[0]) { return nil }
        switch input[0] {
        case 0x0A: return .bareLineFeed
        case 0x0D: return input.count == 1 || input[1] == 0x0A ? nil : .bareCarriageReturn
        default: return .illegalMethod
        }
    }

    /// RFC 9112 §2.2: a CR LF too many after the body before is forgiven, once.
    private mutating func skipEmptyLine(
        _ input: Span<UInt8>, _ isAllowed: Bool
    ) throws(HTTP1Error) -> (consumed: Int, event: Event) {
        guard isAllowed else { throw .malformedRequestLine }
        state = .requestLine(emptyLineAllowed: false)
        let rest = try readRequestLine(input.extracting(2..<input.count), false)
        return (rest.consumed + 2, rest.event)
    }

    private mutating func readFields(
        _ input: Span<UInt8>, _ start: Int, _ line: RequestLine, _ byteCountBefore: Int
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
                line: input.extracting(offset..<offset + count), countMax: limits.fieldCountMax, in: .request)
            offset = next
        }
    }

    private mutating func finishHead(_ line: RequestLine) throws(HTTP1Error) -> Event {
        let framing = section.framing
        let fields = section.take()
        let authority = try authority(line, fields)
        let facts = HTTP1RequestFacts(
            version: line.version, bodyLength: try framing.bodyLength(absent: .none, version: line.version),
            isKeepAlive: framing.isKeepAlive(version: line.version),
            expectsContinue: framing.expectsContinue && line.version == .http11,
            upgrade: framing.namesUpgrade && line.version == .http11 ? framing.upgrade : nil)
        body = BodyReader(length: facts.bodyLength)
        isKeepAlive = facts.isKeepAlive
        state = .body
        let head = HTTPRequestHead(
            method: line.method, target: line.target, authority: authority, scheme: scheme, fields: fields)
        return .head(head, facts)
    }

    /// The Host field's value, which must be there in HTTP/1.1 and agree with the request line.
    private func authority(_ line: RequestLine, _ fields: HTTPFields) throws(HTTP1Error) -> String {
        guard let range = fields.valueRange(of: .host) else {
            guard line.version == .http10 else { throw .missingHost }
            return line.authority ?? ""
        }
        let host = fields.bytes.span.extracting(range)
        guard HostAndPort.isLegal(host) else { throw .malformedHost }
        if let named = line.authority {
            let bytes = Array(named.utf8)
            guard host.equalsIgnoringCase(bytes.span) else { throw .hostMismatch }
        }
        return String(decodingLossily: host)
    }
}

// MARK: - Body

extension HTTP1RequestDecoder {
    private mutating func readBody(_ input: Span<UInt8>) throws(HTTP1Error) -> (consumed: Int, event: Event) {
        switch try body.next(in: input, limits: limits) {
        case .needMore(let consumed): return (consumed, .needMore)
        case .data(let range): return (range.upperBound, .body(range))
        case .end(let consumed, let trailers):
            state = isKeepAlive ? .requestLine(emptyLineAllowed: true) : .closed
            return (consumed, .end(trailers: trailers))
        }
    }
}
