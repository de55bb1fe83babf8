import TestSupport

/// HTTP/2 frames as bytes, made and read by hand.
struct RawFrame: Sendable, Hashable {
    enum Kind: UInt8, Sendable {
        case data = 0, headers, priority, reset, settings, pushPromise, ping, goAway, windowUpdate, continuation
        case unknown = 0x77
    }

    static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)
    static let endStream: UInt8 = 1
    static let acknowledgement: UInt8 = 1
    static let endHeaders: UInt8 = 4

    var kind: UInt8
    var flags: UInt8
    var stream: UInt32
    var payload: [UInt8]

    static func frame(_ kind: Kind, flags: UInt8 = 0, stream: UInt32 = 0, _ payload: [UInt8] = []) -> [UInt8] {
        let count = payload.count
        return [UInt8(count >> 16 & 255), UInt8(count >> 8 & 255), UInt8(count & 255), kind.rawValue, flags] + bytes(stream)
            + payload
    }

    static func bytes(_ number: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: number >> (24 - 8 * $0)) } }

    /// The preface and empty settings: how a client begins.
    static let hello = preface + frame(.settings)

    /// HPACK without compression: `:method`, `:scheme http`, `:path /`, `:authority localhost`, then the fields.
    static func head(method: String = "GET", _ fields: [(String, String)] = []) -> [UInt8] {
        literal(2, method) + [0x86, 0x84] + literal(1, "localhost")
            + fields.flatMap { field($0, $1) }
    }

    /// One field as a literal without indexing.
    static func field(_ name: String, _ value: String) -> [UInt8] { [0] + string(name) + string(value) }

    static func request(_ stream: UInt32, method: String = "GET", isEnd: Bool = true, _ fields: [(String, String)] = [])
        -> [UInt8]
    {
        frame(.headers, flags: endHeaders | (isEnd ? endStream : 0), stream: stream, head(method: method, fields))
    }

    static func reset(_ stream: UInt32, code: UInt32 = 8) -> [UInt8] { frame(.reset, stream: stream, bytes(code)) }

    /// A literal without indexing whose name is the entry of the static table.
    private static func literal(_ index: UInt8, _ value: String) -> [UInt8] { [index] + string(value) }

    private static func string(_ text: String) -> [UInt8] {
        let count = text.utf8.count
        var length: [UInt8] = []
        if count < 127 {
            length = [UInt8(count)]
        } else {
            length = [127]
            var rest = count - 127
            while rest >= 128 {
                length.append(UInt8(rest & 127 | 128))
                rest >>= 7
            }
            length.append(UInt8(rest))
        }
        return length + Array(text.utf8)
    }

    /// The whole frames in the bytes.
    static func all(in bytes: [UInt8]) -> [RawFrame] {
        var frames: [RawFrame] = []
        var rest = bytes[...]
        while rest.count >= 9 {
            let head = Array(rest.prefix(9))
            let count = Int(head[0]) << 16 | Int(head[1]) << 8 | Int(head[2])
            guard rest.count >= 9 + count else { break }
            let stream = head[5...].reduce(UInt32(0)) { $0 << 8 | UInt32($1) } & 0x7FFF_FFFF
            frames.append(
                RawFrame(kind: head[3], flags: head[4], stream: stream, payload: Array(rest.dropFirst(9).prefix(count))))
            rest = rest.dropFirst(9 + count)
        }
        return frames
    }

    func isA(_ kind: Kind) -> Bool { self.kind == kind.rawValue }
    func number(at offset: Int) -> UInt32 { payload.dropFirst(offset).prefix(4).reduce(UInt32(0)) { $0 << 8 | UInt32($1) } }
    /// The error code of a GOAWAY or RST_STREAM.
    var errorCode: UInt32 { number(at: isA(.goAway) ? 4 : 0) }
}

extension [RawFrame] {
    func first(_ kind: RawFrame.Kind) -> RawFrame? { first { $0.isA(kind) } }
    func all(_ kind: RawFrame.Kind) -> [RawFrame] { filter { $0.isA(kind) } }
}

extension RawPeer {
    /// Waits for a frame of the kind, or for the end; returns all frames.
    func frames(until kind: RawFrame.Kind, count: Int = 1) async -> [RawFrame] {
        RawFrame.all(in: await journal.wait { $0.isClosed || RawFrame.all(in: $0.bytes).all(kind).count >= count }.bytes)
    }

    func framesUntilClosed() async -> [RawFrame] { RawFrame.all(in: await bytesUntilClosed()) }
}
