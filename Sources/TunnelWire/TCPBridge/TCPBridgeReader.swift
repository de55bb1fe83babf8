/// Why the frames of a TCP connection's bridge make no sense; the bridge ends with 1002.
package enum TCPBridgeError: Error, Sendable, Hashable {
    /// The frames are not those of RFC 6455.
    case malformedFrame(WebSocketError)
    /// A text message: a TCP connection has bytes only.
    case unexpectedText
}

/// Takes the bytes of a TCP connection out of the frames of its bridge (data plane, section 7), however both are cut.
///
/// Bytes are passed on as they come: a frame need not be whole for its beginning to be of use.
package struct TCPBridgeReader: Sendable {
    package enum Event: Sendable, Hashable {
        /// Bytes of the connection were appended to the output.
        case bytes
        /// To be answered with a pong of the same bytes.
        case ping([UInt8])
        /// The last event; nil when the frame gave no code.
        case close(WebSocketCloseCode?)
    }

    private var frames: WebSocketFrameReader
    private var header: WebSocketFrameHeader?
    private var isInsideMessage = false
    private var control: [UInt8] = []
    private var hasClosed = false

    /// - Parameter role: `server` at the edge, which takes masked frames; `client` at the agent.
    package init(role: WebSocketFrameReader.Role) { frames = WebSocketFrameReader(role: role) }

    /// The next event of the input, from `offset` on; nil when all of it was used. Bytes behind a close are ignored.
    package mutating func next(
        in input: Span<UInt8>, _ offset: inout Int, appendingTo output: inout [UInt8]
    ) throws(TCPBridgeError) -> Event? {
        while !hasClosed {
            guard let header else {
                guard try readHeader(input, &offset) else { return nil }
                continue
            }
            let isControl = header.opcode.isControl
            let start = output.count
            let step =
                isControl
                ? try Self.step(&frames, input, &offset, &control) : try Self.step(&frames, input, &offset, &output)
            guard case .payload(let isEnd) = step else { return nil }
            if isEnd { self.header = nil }
            if output.count > start { return .bytes }
            if isEnd, isControl, let event = takeControl(header.opcode) { return event }
        }
        offset = input.count
        return nil
    }

    private mutating func readHeader(_ input: Span<UInt8>, _ offset: inout Int) throws(TCPBridgeError) -> Bool {
        guard case .header(let new) = try Self.step(&frames, input, &offset, &control) else { return false }
        switch new.opcode {
        case .text: throw .unexpectedText
        case .binary:
            guard !isInsideMessage else { throw .malformedFrame(.unfinishedMessage) }
            isInsideMessage = !new.isFinal
        case .continuation:
            guard isInsideMessage else { throw .malformedFrame(.unexpectedContinuation) }
            isInsideMessage = !new.isFinal
        case .close, .ping, .pong: break
        }
        header = new
        return true
    }

    private static func step(
        _ frames: inout WebSocketFrameReader, _ input: Span<UInt8>, _ offset: inout Int, _ output: inout [UInt8]
    ) throws(TCPBridgeError) -> WebSocketFrameReader.Step {
        do throws(WebSocketError) {
            return try frames.next(in: input, &offset, appendingTo: &output)
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
            hasClosed = true
            return .close(payload.count < 2 ? nil : WebSocketCloseCode(rawValue: UInt16(payload[0]) << 8 | UInt16(payload[1])))
        case .pong, .continuation, .text, .binary: return nil
        }
    }
}
