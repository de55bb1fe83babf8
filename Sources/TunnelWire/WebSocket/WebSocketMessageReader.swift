/// Makes messages of bytes: joins fragments, checks text, and says where a peer breaks RFC 6455.
///
/// ```swift
/// var offset = 0
/// while let event = try reader.next(in: input, &offset) { handle(event) }
/// ```
package struct WebSocketMessageReader: Sendable {
    package enum Event: Sendable, Hashable {
        /// Text is UTF-8.
        case text([UInt8]), binary([UInt8])
        /// To be answered with a pong of the same bytes.
        case ping([UInt8])
        case pong([UInt8])
        /// The last event; anything after it is an error.
        case close(WebSocketClose)
    }

    private let messageByteCountMax: Int
    private var frames: WebSocketFrameReader
    private var header: WebSocketFrameHeader?
    /// The kind of the message under way.
    private var kind: WebSocketOpcode?
    private var message: [UInt8] = []
    private var text = UTF8Check()
    private var control: [UInt8] = []
    private var isClosed = false

    /// - Parameter messageByteCountMax: The most bytes of a message; at one more the reader throws.
    package init(role: WebSocketFrameReader.Role, messageByteCountMax: Int) {
        frames = WebSocketFrameReader(role: role)
        self.messageByteCountMax = messageByteCountMax
    }

    /// Whether the peer may end the connection here without cutting anything off.
    package var isBetweenMessages: Bool { !frames.isInsideFrame && kind == nil }

    /// The bytes that are held of a message under way.
    package var heldByteCount: Int { message.count }

    /// The next event of the input, from `offset` on; nil when all of it was used.
    package mutating func next(in input: Span<UInt8>, _ offset: inout Int) throws(WebSocketError) -> Event? {
        while true {
            guard !isClosed || offset == input.count else { throw .dataAfterClose }
            guard let header else {
                guard try readHeader(input, &offset) else { return nil }
                continue
            }
            let isControl = header.opcode.isControl
            let start = message.count
            let step =
                isControl
                ? try frames.next(in: input, &offset, appendingTo: &control)
                : try frames.next(in: input, &offset, appendingTo: &message)
            guard case .payload(let isEnd) = step else { return nil }
            if !isControl { try check(from: start) }
            guard isEnd else { continue }
            self.header = nil
            if isControl { return try takeControl(header.opcode) }
            if header.isFinal { return try takeMessage() }
        }
    }

    private mutating func readHeader(_ input: Span<UInt8>, _ offset: inout Int) throws(WebSocketError) -> Bool {
        guard case .header(let new) = try frames.next(in: input, &offset, appendingTo: &control) else { return false }
        switch new.opcode {
        case .close, .ping, .pong: break
        case .continuation: guard kind != nil else { throw .unexpectedContinuation }
        case .text, .binary:
            guard kind == nil else { throw .unfinishedMessage }
            kind = new.opcode
            text = UTF8Check()
        }
        // Before the bytes come, so that nobody sends a gigabyte to be told so at its end.
        if !new.opcode.isControl, new.payloadByteCount > messageByteCountMax - message.count { throw .messageTooLarge }
        header = new
        return true
    }

    private mutating func check(from start: Int) throws(WebSocketError) {
        guard kind == .text else { return }
        var check = text
        guard check.accepts(message.span.extracting(start..<message.count)) else { throw .illegalText }
        text = check
    }

    private mutating func takeMessage() throws(WebSocketError) -> Event {
        let isText = kind == .text
        guard !isText || text.isComplete else { throw .illegalText }
        kind = nil
        let whole = message
        message = []
        return isText ? .text(whole) : .binary(whole)
    }

    private mutating func takeControl(_ opcode: WebSocketOpcode) throws(WebSocketError) -> Event {
        let payload = control
        control.removeAll(keepingCapacity: true)
        switch opcode {
        case .ping: return .ping(payload)
        case .pong: return .pong(payload)
        case .close:
            isClosed = true
            return .close(try WebSocketClose(parsing: payload.span))
        case .continuation, .text, .binary: preconditionFailure("messages are taken elsewhere")
        }
    }
}
