import TestSupport
import Testing

@testable import TunnelWire

struct TCPBridgeReaderTests {
    /// What a reader says of bytes that come in these pieces.
    struct Reading: Equatable {
        var bytes: [UInt8] = []
        var others: [TCPBridgeReader.Event] = []
        var error: TCPBridgeError?

        init(of pieces: [[UInt8]], role: WebSocketFrameReader.Role = .server) {
            var reader = TCPBridgeReader(role: role)
            do {
                for piece in pieces {
                    var offset = 0
                    while let event = try reader.next(in: piece.span, &offset, appendingTo: &bytes) {
                        if event != .bytes { others.append(event) }
                    }
                    #expect(offset == piece.count, "nothing more to say, and not all was used")
                }
            } catch {
                self.error = error
            }
        }
    }

    static func frame(_ opcode: WebSocketOpcode, _ payload: [UInt8], isFinal: Bool = true, key: UInt32? = 0x0102_0304)
        -> [UInt8]
    {
        var bytes: [UInt8] = []
        bytes.append(
            WebSocketFrameHeader(opcode: opcode, isFinal: isFinal, payloadByteCount: payload.count, maskingKey: key),
            payload: payload.span)
        return bytes
    }

    static let long = [UInt8](repeating: 7, count: 70_000)
    /// Bytes, a ping, fragments with a pong between them, an empty frame, a long one, and a goodbye with something behind it.
    static let conversation =
        frame(.binary, [1, 2, 3]) + frame(.ping, [9]) + frame(.binary, [4], isFinal: false) + frame(.pong, [])
        + frame(.continuation, [5]) + frame(.binary, []) + frame(.binary, Array(long.prefix(200)))
        + frame(.close, [0x03, 0xE8, 0x6F]) + frame(.text, [1])

    @Test func `the bytes come out as they went in, however they are cut`() {
        let whole = Reading(of: [Self.conversation])
        #expect(whole.bytes == [1, 2, 3, 4, 5] + Self.long.prefix(200))
        #expect(whole.others == [.ping([9]), .close(.normal)])
        #expect(whole.error == nil)
        for cut in 0...Self.conversation.count {
            let pieces = [Array(Self.conversation[..<cut]), Array(Self.conversation[cut...])]
            #expect(Reading(of: pieces) == whole, "cut at \(cut)")
        }
        #expect(Reading(of: Self.conversation.map { [$0] }) == whole)
    }

    @Test func `a frame may be of any length`() {
        #expect(Reading(of: [Self.frame(.binary, Self.long)]).bytes == Self.long)
    }

    @Test(
        arguments: [
            (Self.frame(.text, [1]), .unexpectedText),
            (Self.frame(.continuation, [1]), .malformedFrame(.unexpectedContinuation)),
            (Self.frame(.binary, [1], isFinal: false) + Self.frame(.binary, [2]), .malformedFrame(.unfinishedMessage)),
            (Self.frame(.binary, [1], key: nil), .malformedFrame(.unmasked)),
            ([0xC2, 0x80], .malformedFrame(.reservedBit)), ([0x83, 0x80], .malformedFrame(.unknownOpcode(3))),
            ([0x09, 0x80], .malformedFrame(.fragmentedControl)), ([0x89, 0xFE, 0, 126], .malformedFrame(.controlTooLong)),
            ([0x82, 0xFE, 0, 125], .malformedFrame(.malformedLength)),
        ] as [([UInt8], TCPBridgeError)])
    func `what is no bridge is told`(bytes: [UInt8], error: TCPBridgeError) {
        #expect(Reading(of: [bytes]).error == error)
    }

    @Test func `an agent takes unmasked frames only`() {
        #expect(Reading(of: [Self.frame(.binary, [1], key: nil)], role: .client).bytes == [1])
        #expect(Reading(of: [Self.frame(.binary, [1])], role: .client).error == .malformedFrame(.masked))
    }

    @Test(arguments: [([], nil), ([3], nil), ([0x11, 0x94], 4500)] as [([UInt8], UInt16?)])
    func `a goodbye may have no code`(payload: [UInt8], code: UInt16?) {
        let expected = code.map { WebSocketCloseCode(rawValue: $0) }
        #expect(Reading(of: [Self.frame(.close, payload)]).others == [.close(expected)])
    }

    @Test func `noise never traps, and cuts do not change what is read`() throws {
        try checkProperty { sample in
            var bytes = Self.conversation
            for _ in 0..<sample.int(in: 0...4) { bytes[sample.int(in: 0...bytes.count - 1)] = UInt8(sample.int(in: 0...255)) }
            let cut = sample.int(in: 0...bytes.count)
            let (whole, cutOne) = (Reading(of: [bytes]), Reading(of: [Array(bytes[..<cut]), Array(bytes[cut...])]))
            try sample.check(cutOne, is: whole)
        }
    }
}
