/// Takes frames apart, however the bytes are cut; knows nothing of messages.
package struct WebSocketFrameReader: Sendable {
    /// Which end reads: a server takes masked frames only, a client unmasked ones only.
    package enum Role: Sendable, Hashable { case server, client }

    package enum Step: Sendable, Hashable {
        /// All of the input was used.
        case needMore
        case header(WebSocketFrameHeader)
        /// The next bytes of the payload, unmasked, have been appended to the output; `isEnd` when they are its last.
        case payload(isEnd: Bool)
    }

    private let role: Role
    private var headerBytes: [UInt8] = []
    private var frame: WebSocketFrameHeader?
    private var position = 0

    package init(role: Role) {
        self.role = role
        headerBytes.reserveCapacity(WebSocketFrameHeader.byteCountMax)
    }

    /// Whether a frame has begun and not ended: the end of the input here cuts it off.
    package var isInsideFrame: Bool { frame != nil || !headerBytes.isEmpty }

    /// Goes on from `offset`, which it moves behind what it used.
    package mutating func next(
        in input: Span<UInt8>, _ offset: inout Int, appendingTo output: inout [UInt8]
    ) throws(WebSocketError) -> Step {
        if let frame { return takePayload(of: frame, input, &offset, &output) }
        while offset < input.count {
            headerBytes.append(input[offset])
            offset += 1
            if let header = try wholeHeader() {
                headerBytes.removeAll(keepingCapacity: true)
                frame = header
                position = 0
                return .header(header)
            }
        }
        return .needMore
    }

    private mutating func takePayload(
        of frame: WebSocketFrameHeader, _ input: Span<UInt8>, _ offset: inout Int, _ output: inout [UInt8]
    ) -> Step {
        let count = min(frame.payloadByteCount - position, input.count - offset)
        guard count > 0 || frame.payloadByteCount == position else { return .needMore }
        output.append(input.extracting(offset..<offset + count), maskedWith: frame.maskingKey, from: position)
        offset += count
        position += count
        let isEnd = position == frame.payloadByteCount
        if isEnd { self.frame = nil }
        return .payload(isEnd: isEnd)
    }

    /// The header once its last byte is there. What is wrong is said at the first byte that shows it.
    private func wholeHeader() throws(WebSocketError) -> WebSocketFrameHeader? {
        let first = headerBytes[0]
        guard first & 0x70 == 0 else { throw .reservedBit }
        guard let opcode = WebSocketOpcode(rawValue: first & 0x0F) else { throw .unknownOpcode(first & 0x0F) }
        let isFinal = first & 0x80 != 0
        guard isFinal || !opcode.isControl else { throw .fragmentedControl }
        guard headerBytes.count >= 2 else { return nil }
        let isMasked = headerBytes[1] & 0x80 != 0
        switch role {
        case .server: guard isMasked else { throw .unmasked }
        case .client: guard !isMasked else { throw .masked }
        }
        guard let (byteCount, end) = try length() else { return nil }
        guard !opcode.isControl || byteCount <= WebSocketFrameHeader.controlPayloadByteCountMax else { throw .controlTooLong }
        guard isMasked else {
            return WebSocketFrameHeader(opcode: opcode, isFinal: isFinal, payloadByteCount: byteCount)
        }
        guard headerBytes.count == end + 4 else { return nil }
        let key = headerBytes[end...].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        return WebSocketFrameHeader(opcode: opcode, isFinal: isFinal, payloadByteCount: byteCount, maskingKey: key)
    }

    /// The payload's length, and where it ends in the header.
    private func length() throws(WebSocketError) -> (byteCount: Int, end: Int)? {
        let short = Int(headerBytes[1] & 0x7F)
        guard short >= 126 else { return (short, 2) }
        let end = short == 126 ? 4 : 10
        guard headerBytes.count >= end else { return nil }
        let long = headerBytes[2..<end].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        // The fewest bytes, and never negative (section 5.2).
        guard long >= (short == 126 ? 126 : 0x1_0000), long <= UInt64(Int.max) else { throw .malformedLength }
        return (Int(long), end)
    }
}
