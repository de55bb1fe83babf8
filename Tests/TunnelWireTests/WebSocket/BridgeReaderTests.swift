import TestSupport
import Testing

@testable import TunnelWire

@Suite struct BridgeReaderTests {
    private func read(
        _ pieces: [[UInt8]], role: WebSocketFrameReader.Role = .client, byteCountMax: Int = 1 << 20
    ) -> ([BridgeReader.Event], BridgeError?) {
        var reader = BridgeReader(role: role, messageByteCountMax: byteCountMax)
        var events: [BridgeReader.Event] = []
        do {
            for piece in pieces {
                var offset = 0
                while let event = try reader.next(in: piece.span, &offset) { events.append(event) }
                #expect(offset == piece.count)
            }
        } catch {
            return (events, error)
        }
        return (events, nil)
    }

    private func frame(_ opcode: WebSocketOpcode, _ payload: [UInt8], isFinal: Bool = true, key: UInt32? = nil) -> [UInt8] {
        var bytes: [UInt8] = []
        let header = WebSocketFrameHeader(
            opcode: opcode, isFinal: isFinal, payloadByteCount: payload.count, maskingKey: key)
        bytes.append(header, payload: payload.span)
        return bytes
    }

    private func envelope(_ json: String) -> [UInt8] {
        let count = json.utf8.count
        return [0, 0, UInt8(count >> 8), UInt8(count & 0xFF)] + Array(json.utf8)
    }

    // As the SDK writes them (`encode_ws_envelope`).
    @Test(
        arguments: [
            (#"{"type":"text","data":"h\u00e9 \ud83d\ude00"}"#, .text(Array("hé 😀".utf8))),
            (#"{"type":"binary","data":"AAH/"}"#, .binary([0, 1, 255])), (#"{"type":"text","data":""}"#, .text([])),
            (#"{"type":"close","code":4001,"reason":"bye"}"#, .close(code: 4001, reason: "bye")),
            (#"{"reason":null,"x":[1],"type":"close"}"#, .close(code: 1000, reason: "")),
        ] as [(String, BridgeMessage)])
    func `an envelope is read however frames and pieces cut it`(json: String, message: BridgeMessage) {
        let bytes = envelope(json)
        for cut in 0...bytes.count {
            let framed = frame(.binary, Array(bytes[..<cut]), isFinal: false) + frame(.continuation, Array(bytes[cut...]))
            let apart = frame(.binary, Array(bytes[..<cut])) + frame(.binary, Array(bytes[cut...]))
            for whole in [framed, apart] {
                #expect(read([whole]) == ([.message(message)], nil))
                #expect(read(whole.map { [$0] }) == ([.message(message)], nil))
            }
        }
    }

    @Test func `several envelopes in one frame come in their order, and control frames between`() {
        let both = envelope(#"{"type":"text","data":"a"}"#) + envelope(#"{"type":"text","data":"b"}"#)
        let bytes = frame(.ping, [7]) + frame(.binary, both) + frame(.pong, []) + frame(.close, [3, 232]) + [0xFF, 0xFF]
        #expect(read([bytes]) == ([.ping([7]), .message(.text([97])), .message(.text([98])), .end], nil))
    }

    @Test(arguments: [
        "", "[]", "{}", #"{"type":"text"}"#, #"{"type":"text","data":1}"#, #"{"type":"binary","data":"@@@@"}"#,
        #"{"type":"close","code":"1000"}"#, #"{"type":"other"}"#, #"{"type":"text","data":"\ud800"}"#,
    ])
    func `an envelope that makes no sense is an error`(json: String) {
        let (events, error) = read([frame(.binary, envelope(json))])
        #expect(events.isEmpty)
        guard case .malformedEnvelope = error else { return #expect(Bool(false), "\(String(describing: error))") }
    }

    @Test func `an envelope that could not hold a message of the size allowed is refused before it comes`() {
        #expect(read([frame(.binary, [0, 0, 7, 96])], byteCountMax: 272).1 == nil)
        #expect(read([frame(.binary, [0, 0, 7, 97])], byteCountMax: 272).1 == .envelopeTooLarge(byteCount: 1889))
        #expect(read([frame(.binary, [], key: 1)]).1 == .malformedFrame(.masked))
        #expect(read([frame(.binary, [])], role: .server).1 == .malformedFrame(.unmasked))
    }

    @Test func `what is written is read again`() throws {
        try checkProperty { sample in
            let messages = sample.list(upTo: 5) { sample -> BridgeMessage in
                switch sample.int(in: 0...2) {
                case 0: .text(Array(sample.text(of: "aé😀\"\\\u{0}\n\u{7F}", count: 0...20).utf8))
                case 1: .binary(sample.bytes(sample.int(in: 0...300)))
                default: .close(code: sample.int(in: 0...5000), reason: sample.text(of: "xé", count: 0...10))
                }
            }
            let key = sample.bool() ? UInt32(sample.int(in: 0...Int(UInt32.max))) : nil
            let bytes = messages.flatMap { frame(.binary, $0.envelope, key: key) }
            let cut = sample.int(in: 0...bytes.count)
            let pieces = [Array(bytes[..<cut]), Array(bytes[cut...])]
            let (events, error) = read(pieces, role: key == nil ? .client : .server)
            guard events == messages.map({ .message($0) }), error == nil else { throw Wrong() }
        }
    }

    private struct Wrong: Error {}
}
