/// Cuts a server's frames out of its bytes (RFC 6455 section 5.2), by code of its own: the service's must not judge itself.
struct SimulatedFrames {
    struct Frame {
        /// FIN, the reserved bits and the opcode.
        var first: UInt8
        var isMasked: Bool
        var payload: [UInt8]
    }

    private var bytes: [UInt8] = []

    /// The bytes that make no whole frame yet.
    var restByteCount: Int { bytes.count }

    mutating func take(_ more: Span<UInt8>) { more.withUnsafeBufferPointer { bytes.append(contentsOf: $0) } }

    /// The next whole frame.
    mutating func next() -> Frame? {
        guard bytes.count >= 2 else { return nil }
        let short = Int(bytes[1] & 0x7F)
        let lengthByteCount = short < 126 ? 0 : short == 126 ? 2 : 8
        guard bytes.count >= 2 + lengthByteCount else { return nil }
        let start = 2 + lengthByteCount
        let count = lengthByteCount == 0 ? short : bytes[2..<start].reduce(0) { $0 << 8 | Int($1) }
        guard bytes.count >= start + count else { return nil }
        let frame = Frame(first: bytes[0], isMasked: bytes[1] >= 0x80, payload: Array(bytes[start..<start + count]))
        bytes.removeFirst(start + count)
        return frame
    }

    /// A client's frame.
    static func frame(_ opcode: UInt8, _ payload: [UInt8], isFinal: Bool = true, isMasked: Bool = true) -> [UInt8] {
        var bytes = [(isFinal ? 0x80 : 0) | opcode]
        let mask: UInt8 = isMasked ? 0x80 : 0
        switch payload.count {
        case ..<126: bytes.append(mask | UInt8(payload.count))
        case ...0xFFFF: bytes += [mask | 126, UInt8(payload.count >> 8), UInt8(payload.count & 0xFF)]
        default: bytes += [mask | 127] + (0..<8).map { UInt8(truncatingIfNeeded: payload.count >> (56 - 8 * $0)) }
        }
        guard isMasked else { return bytes + payload }
        // A key of zeros is one as well, and leaves large payloads as they are.
        guard payload.count < 400 else { return bytes + [0, 0, 0, 0] + payload }
        let key: [UInt8] = [0x5A, 0x11, 0xC3, 0x7E]
        bytes += key
        for (index, byte) in payload.enumerated() { bytes.append(byte ^ key[index & 3]) }
        return bytes
    }

    static let continuation: UInt8 = 0, text: UInt8 = 1, binary: UInt8 = 2, close: UInt8 = 8, ping: UInt8 = 9, pong: UInt8 = 10
}

/// What somebody says in a WebSocket: no two say the same, so that it shows where something belongs.
struct SimulatedMessage: Equatable {
    var isText: Bool
    var payload: [UInt8]

    /// The next message of a speaker; text has what JSON must escape, and characters of several bytes.
    init(_ number: Int, of speaker: Int, isText: Bool, byteCount: Int) {
        self.isText = isText
        let raw = simulatedBody(of: speaker &* 131 &+ number, byteCount: byteCount)
        guard isText else {
            payload = raw
            return
        }
        payload = raw.map { Self.letters[Int($0) % Self.letters.count] }
        if byteCount >= 4 { payload.replaceSubrange(0..<4, with: Array("é\"\n".utf8)) }
    }

    init(isText: Bool, payload: [UInt8]) {
        self.isText = isText
        self.payload = payload
    }

    private static let letters = Array("abcdefghijklmnopqrstuvwxyz0123456789 {}[]:,/".utf8)
}
