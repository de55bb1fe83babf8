/// One WebSocket message, or the end of the messages, on its way between edge and agent (data plane, section 6).
package enum BridgeMessage: Sendable, Hashable {
    /// UTF-8.
    case text([UInt8])
    case binary([UInt8])
    case close(code: Int, reason: String)
}

/// Why what comes out of a bridge makes no sense; its WebSocket ends with 1011.
package enum BridgeError: Error, Sendable, Hashable {
    /// The outer frames are not those of RFC 6455.
    case malformedFrame(WebSocketError)
    case envelopeTooLarge(byteCount: Int)
    /// The envelope is not the JSON that it should be; the text says how.
    case malformedEnvelope(String)
}

// MARK: - Envelopes

extension BridgeMessage {
    /// Four bytes of length, then JSON.
    package var envelope: [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.name("type")
        switch self {
        case .text(let bytes):
            writer.string("text")
            writer.name("data")
            writer.string(String(decoding: bytes, as: UTF8.self))
        case .binary(let bytes):
            writer.string("binary")
            writer.name("data")
            writer.string(Base64.encode(bytes))
        case .close(let code, let reason):
            writer.string("close")
            writer.name("code")
            writer.integer(code)
            writer.name("reason")
            writer.string(reason)
        }
        writer.endObject()
        let count = UInt32(writer.bytes.count)
        return (0..<4).map { UInt8(truncatingIfNeeded: count >> (24 - 8 * UInt32($0))) } + writer.bytes
    }

    /// Reads the JSON of an envelope; members that are not known are left alone.
    init(parsing json: [UInt8]) throws(BridgeError) {
        let value: JSONValue
        do throws(JSONSyntaxError) {
            value = try JSONValue(parsing: json)
        } catch {
            throw .malformedEnvelope(error.description)
        }
        switch value["type"]?.stringValue {
        case "text":
            guard let text = value["data"]?.stringValue else { throw .malformedEnvelope("a text without data") }
            self = .text(Array(text.utf8))
        case "binary":
            guard let text = value["data"]?.stringValue, let bytes = Base64.decode(text) else {
                throw .malformedEnvelope("binary data that is not base64")
            }
            self = .binary(bytes)
        case "close":
            guard let code = try Self.code(value["code"]) else { throw .malformedEnvelope("a close code that is no number") }
            self = .close(code: code, reason: value["reason"]?.stringValue ?? "")
        case let other: throw .malformedEnvelope("the type \(other ?? "is missing")")
        }
    }

    private static func code(_ value: JSONValue?) throws(BridgeError) -> Int? {
        switch value {
        case nil, .null: Int(WebSocketCloseCode.normal.rawValue)
        case .number(let digits): Int(digits)
        case .string, .object, .array, .bool: nil
        }
    }
}

// MARK: - Reading

/// Makes bridge messages of a bridge's bytes: outer frames whose payloads, put together, are envelopes.
package struct BridgeReader: Sendable {
    package enum Event: Sendable, Hashable {
        case message(BridgeMessage)
        /// To be answered with a pong of the same bytes.
        case ping([UInt8])
        /// The outer close: nothing follows.
        case end
    }

    private let envelopeByteCountMax: Int
    private var frames: WebSocketFrameReader
    private var header: WebSocketFrameHeader?
    private var control: [UInt8] = []
    /// Payload; what lies before `taken` has been read as envelopes.
    private var gathered: [UInt8] = []
    private var taken = 0
    private var hasEnded = false

    /// - Parameters:
    ///   - role: `server` at the edge, which takes masked frames; `client` at the agent.
    ///   - messageByteCountMax: The most bytes of a message. Its envelope may be six times as large: JSON may escape each byte.
    package init(role: WebSocketFrameReader.Role, messageByteCountMax: Int) {
        frames = WebSocketFrameReader(role: role)
        envelopeByteCountMax = 6 * messageByteCountMax + 256
    }

    /// The bytes that are held of an envelope under way.
    package var heldByteCount: Int { gathered.count - taken }

    /// The next event of the input, from `offset` on; nil when all of it was used.
    package mutating func next(in input: Span<UInt8>, _ offset: inout Int) throws(BridgeError) -> Event? {
        while true {
            if let message = try takeEnvelope() { return .message(message) }
            guard !hasEnded else {
                offset = input.count
                return nil
            }
            switch try step(input, &offset) {
            case .needMore: return nil
            case .goOn: break
            case .say(let event): return event
            }
        }
    }

    private enum Step { case needMore, goOn, say(Event) }

    /// Reads on in the frames.
    private mutating func step(_ input: Span<UInt8>, _ offset: inout Int) throws(BridgeError) -> Step {
        do throws(WebSocketError) {
            guard let header else {
                guard case .header(let new) = try frames.next(in: input, &offset, appendingTo: &control) else {
                    return .needMore
                }
                self.header = new
                return .goOn
            }
            let isControl = header.opcode.isControl
            let step =
                isControl
                ? try frames.next(in: input, &offset, appendingTo: &control)
                : try frames.next(in: input, &offset, appendingTo: &gathered)
            guard case .payload(let isEnd) = step else { return .needMore }
            guard isEnd else { return .goOn }
            self.header = nil
            guard isControl, let event = takeControl(header.opcode) else { return .goOn }
            return .say(event)
        } catch {
            throw .malformedFrame(error)
        }
    }

    private mutating func takeControl(_ opcode: WebSocketOpcode) -> Event? {
        let payload = control
        control.removeAll(keepingCapacity: true)
        switch opcode {
        case .ping: return .ping(payload)
        case .close:
            hasEnded = true
            return .end
        case .pong, .continuation, .text, .binary: return nil
        }
    }

    /// The next envelope of what was gathered, once it is whole.
    private mutating func takeEnvelope() throws(BridgeError) -> BridgeMessage? {
        let rest = gathered[taken...]
        guard rest.count >= 4 else { return compact() }
        let count = rest.prefix(4).reduce(0) { $0 << 8 | Int($1) }
        guard count <= envelopeByteCountMax else { throw .envelopeTooLarge(byteCount: count) }
        guard rest.count >= 4 + count else { return compact() }
        let json = Array(rest.dropFirst(4).prefix(count))
        taken += 4 + count
        return try BridgeMessage(parsing: json)
    }

    /// Forgets what was read, once for all the envelopes that came together.
    private mutating func compact() -> BridgeMessage? {
        guard taken > 0 else { return nil }
        gathered.removeFirst(taken)
        taken = 0
        return nil
    }
}
