/// What a frame is for (RFC 6455 section 5.2).
package enum WebSocketOpcode: UInt8, Sendable, Hashable, CaseIterable {
    case continuation = 0x0, text = 0x1, binary = 0x2
    case close = 0x8, ping = 0x9, pong = 0xA

    package var isControl: Bool { rawValue >= 0x8 }
}

/// The start of a frame, without its payload.
package struct WebSocketFrameHeader: Sendable, Hashable {
    package var opcode: WebSocketOpcode
    /// Whether the message ends with this frame.
    package var isFinal: Bool
    package var payloadByteCount: Int
    /// The four bytes that a client masks its payload with, the first one in the highest bits; nil in a server's frames.
    package var maskingKey: UInt32?

    package init(opcode: WebSocketOpcode, isFinal: Bool = true, payloadByteCount: Int, maskingKey: UInt32? = nil) {
        self.opcode = opcode
        self.isFinal = isFinal
        self.payloadByteCount = payloadByteCount
        self.maskingKey = maskingKey
    }

    /// The most bytes of a header: two, eight of length, four of masking key.
    package static let byteCountMax = 14
    /// The most payload bytes of a control frame.
    package static let controlPayloadByteCountMax = 125

    /// The bytes that `append(to:)` writes.
    package var byteCount: Int {
        let lengthByteCount = payloadByteCount < 126 ? 0 : payloadByteCount <= 0xFFFF ? 2 : 8
        return 2 + lengthByteCount + (maskingKey == nil ? 0 : 4)
    }

    package func append(to bytes: inout [UInt8]) {
        bytes.append((isFinal ? 0x80 : 0) | opcode.rawValue)
        let mask: UInt8 = maskingKey == nil ? 0 : 0x80
        switch payloadByteCount {
        case ..<126: bytes.append(mask | UInt8(payloadByteCount))
        case ...0xFFFF:
            bytes.append(mask | 126)
            append(UInt64(payloadByteCount), byteCount: 2, to: &bytes)
        default:
            bytes.append(mask | 127)
            append(UInt64(payloadByteCount), byteCount: 8, to: &bytes)
        }
        if let maskingKey { append(UInt64(maskingKey), byteCount: 4, to: &bytes) }
    }

    private func append(_ number: UInt64, byteCount: Int, to bytes: inout [UInt8]) {
        for index in (0..<byteCount).reversed() { bytes.append(UInt8(truncatingIfNeeded: number >> (8 * UInt64(index)))) }
    }
}

extension [UInt8] {
    /// Appends a whole frame; the payload is masked when the header has a key.
    package mutating func append(_ header: WebSocketFrameHeader, payload: Span<UInt8>) {
        precondition(header.payloadByteCount == payload.count, "a frame's length is that of its payload")
        reserveCapacity(count + header.byteCount + payload.count)
        header.append(to: &self)
        append(payload, maskedWith: header.maskingKey, from: 0)
    }

    /// Appends bytes masked or unmasked (the same operation), the first of which is the payload's byte `position`.
    mutating func append(_ payload: Span<UInt8>, maskedWith key: UInt32?, from position: Int) {
        let start = count
        payload.withUnsafeBufferPointer { append(contentsOf: $0) }
        guard let key else { return }
        withUnsafeMutableBytes { WebSocketMask(key: key, position: position).apply(to: $0, from: start) }
    }
}

/// The masking of RFC 6455 section 5.3: exclusive or with the key, over and over.
struct WebSocketMask {
    /// The key as it meets the first byte, twice, in memory order.
    private let pattern: UInt64

    init(key: UInt32, position: Int) {
        let shift = UInt32(position % 4) * 8
        let turned = shift == 0 ? key : key << shift | key >> (32 - shift)
        pattern = UInt64(bigEndian: UInt64(turned) << 32 | UInt64(turned))
    }

    /// Eight bytes at a time, and the rest one by one.
    func apply(to bytes: UnsafeMutableRawBufferPointer, from start: Int) {
        var offset = start
        while bytes.count - offset >= 8 {
            let word = bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            bytes.storeBytes(of: word ^ pattern, toByteOffset: offset, as: UInt64.self)
            offset += 8
        }
        withUnsafeBytes(of: pattern) { pattern in
            for index in 0..<bytes.count - offset { bytes[offset + index] ^= pattern[index] }
        }
    }
}
