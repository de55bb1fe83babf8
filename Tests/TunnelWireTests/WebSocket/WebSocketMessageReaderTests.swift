import TestSupport
import Testing

@testable import TunnelWire

@Suite struct WebSocketMessageReaderTests {
    private typealias Event = WebSocketMessageReader.Event

    /// Everything that the pieces say, and the error that ended it.
    private func read(
        _ pieces: [[UInt8]], role: WebSocketFrameReader.Role = .client, byteCountMax: Int = 1 << 20
    ) -> ([Event], WebSocketError?) {
        var reader = WebSocketMessageReader(role: role, messageByteCountMax: byteCountMax)
        var events: [Event] = []
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

    /// The input as one piece, and cut at every place, and byte by byte.
    private func readEverySplit(
        _ bytes: [UInt8], role: WebSocketFrameReader.Role = .client, byteCountMax: Int = 1 << 20
    ) -> ([Event], WebSocketError?) {
        let whole = read([bytes], role: role, byteCountMax: byteCountMax)
        for cut in 0...bytes.count {
            let parts = read([Array(bytes[..<cut]), Array(bytes[cut...])], role: role, byteCountMax: byteCountMax)
            #expect(parts == whole, "cut at \(cut)")
        }
        #expect(read(bytes.map { [$0] }, role: role, byteCountMax: byteCountMax) == whole)
        return whole
    }

    // The examples of RFC 6455 section 5.7.
    @Test(
        arguments: [
            ([0x81, 0x05, 0x48, 0x65, 0x6C, 0x6C, 0x6F], .client, .text(Array("Hello".utf8))),
            ([0x81, 0x85, 0x37, 0xFA, 0x21, 0x3D, 0x7F, 0x9F, 0x4D, 0x51, 0x58], .server, .text(Array("Hello".utf8))),
            ([0x01, 0x03, 0x48, 0x65, 0x6C, 0x80, 0x02, 0x6C, 0x6F], .client, .text(Array("Hello".utf8))),
            ([0x89, 0x05, 0x48, 0x65, 0x6C, 0x6C, 0x6F], .client, .ping(Array("Hello".utf8))),
            ([0x8A, 0x85, 0x37, 0xFA, 0x21, 0x3D, 0x7F, 0x9F, 0x4D, 0x51, 0x58], .server, .pong(Array("Hello".utf8))),
        ] as [([UInt8], WebSocketFrameReader.Role, WebSocketMessageReader.Event)])
    func `the standard's examples are read however they are cut`(
        bytes: [UInt8], role: WebSocketFrameReader.Role, event: WebSocketMessageReader.Event
    ) {
        let (events, error) = readEverySplit(bytes, role: role)
        #expect(events == [event])
        #expect(error == nil)
    }

    @Test(
        arguments: [
            ([0xC1, 0x00], .reservedBit), ([0x83, 0x00], .unknownOpcode(3)), ([0x8B, 0x00], .unknownOpcode(11)),
            ([0x81, 0x80, 0, 0, 0, 0], .masked), ([0x09, 0x00], .fragmentedControl),
            ([0x89, 0x7E, 0x00, 0x7E], .controlTooLong),
            ([0x82, 0x7E, 0x00, 0x7D], .malformedLength), ([0x82, 0x7F, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF], .malformedLength),
            ([0x82, 0x7F, 0x80, 0, 0, 0, 0, 0, 0, 0], .malformedLength), ([0x80, 0x00], .unexpectedContinuation),
            ([0x01, 0x01, 0x61, 0x81, 0x01, 0x61], .unfinishedMessage), ([0x88, 0x01, 0x03], .malformedClose),
            ([0x88, 0x02, 0x03, 0xED], .illegalCloseCode(1005)), ([0x88, 0x02, 0x07, 0xD0], .illegalCloseCode(2000)),
            ([0x88, 0x03, 0x03, 0xE8, 0xFF], .illegalText), ([0x81, 0x01, 0xFF], .illegalText),
            ([0x81, 0x02, 0xC3, 0x28], .illegalText), ([0x81, 0x01, 0xC3], .illegalText),
            ([0x88, 0x00, 0x89, 0x00], .dataAfterClose), ([0x82, 0x7E, 0x00, 0xC9], .messageTooLarge),
            ([0x02, 0x7E, 0x00, 0xC8] + [UInt8](repeating: 7, count: 200) + [0x80, 0x01], .messageTooLarge),
        ] as [([UInt8], WebSocketError)])
    func `what the standard forbids is refused for its own reason`(bytes: [UInt8], error: WebSocketError) {
        #expect(readEverySplit(bytes, byteCountMax: 200).1 == error)
    }

    @Test func `a server takes no unmasked frame`() {
        #expect(readEverySplit([0x81, 0x01, 0x61], role: .server).1 == .unmasked)
    }

    @Test func `a message may be as large as the bound, and its parts too`() {
        let payload = [UInt8](repeating: 0xAB, count: 200)
        for fragments in [[200], [1, 199], [0, 100, 0, 100, 0]] {
            var bytes: [UInt8] = []
            for (index, count) in fragments.enumerated() {
                let header = WebSocketFrameHeader(
                    opcode: index == 0 ? .binary : .continuation, isFinal: index == fragments.count - 1, payloadByteCount: count
                )
                bytes.append(header, payload: payload.span.extracting(0..<count))
            }
            let (events, error) = readEverySplit(bytes, byteCountMax: 200)
            #expect(events == [.binary(payload)])
            #expect(error == nil)
        }
    }

    @Test func `control frames may stand between the parts of a message`() {
        let bytes: [UInt8] = [
            0x01, 0x02, 0xC3, 0xA9, 0x89, 0x01, 0x21, 0x00, 0x01, 0xC3, 0x8A, 0x00, 0x80, 0x01, 0xA9, 0x88, 0x02, 0x0B, 0xB8,
        ]
        let (events, error) = readEverySplit(bytes)
        #expect(events == [.ping([0x21]), .pong([]), .text(Array("éé".utf8)), .close(WebSocketClose(.init(rawValue: 3000)))])
        #expect(error == nil)
    }

    @Test func `whatever is written is read again, masked or not, however it is cut`() throws {
        try checkProperty { sample in
            let isMasked = sample.bool()
            var bytes: [UInt8] = []
            var sent: [Event] = []
            for _ in 0..<sample.int(in: 1...5) {
                let sizes = [0, 1, 7, 125, 126, 127, 300, 0xFFFF, 0x1_0000]
                let payload = [UInt8](
                    repeating: UInt8(sample.int(in: 0...127)), count: sizes[sample.int(in: 0...sizes.count - 1)])
                let isText = sample.bool()
                let partCount = sample.int(in: 1...3)
                for part in 0..<partCount {
                    let range = payload.count * part / partCount..<payload.count * (part + 1) / partCount
                    let key = isMasked ? UInt32(sample.int(in: 0...Int(UInt32.max))) : nil
                    let header = WebSocketFrameHeader(
                        opcode: part > 0 ? .continuation : isText ? .text : .binary, isFinal: part == partCount - 1,
                        payloadByteCount: range.count, maskingKey: key)
                    let before = bytes.count
                    bytes.append(header, payload: payload.span.extracting(range))
                    guard bytes.count == before + header.byteCount + range.count else { throw Wrong("length") }
                }
                sent.append(isText ? .text(payload) : .binary(payload))
            }
            var pieces: [[UInt8]] = []
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = min(rest.count, sample.int(in: 1...5000))
                pieces.append(Array(rest.prefix(count)))
                rest = rest.dropFirst(count)
            }
            let (events, error) = read(pieces, role: isMasked ? .server : .client)
            guard events == sent, error == nil else { throw Wrong("\(String(describing: error))") }
        }
    }

    @Test func `text is UTF-8 exactly when the standard library says so, however it is cut`() throws {
        try checkProperty(cases: 5000) { sample in
            let alphabet: [UInt8] = [
                0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xED, 0xEF, 0xF0, 0xF1,
                0xF4, 0xF5, 0xFF,
            ]
            let bytes = (0..<sample.int(in: 0...8)).map { _ in alphabet[sample.int(in: 0...alphabet.count - 1)] }
            let cut = sample.int(in: 0...bytes.count)
            var check = UTF8Check()
            let isAccepted =
                check.accepts(bytes.span.extracting(0..<cut)) && check.accepts(bytes.span.extracting(cut..<bytes.count))
                && check.isComplete
            guard isAccepted == (String(validating: bytes, as: UTF8.self) != nil) else { throw Wrong("\(bytes)") }
        }
    }

    @Test(
        arguments: [
            (999, false), (1000, true), (1003, true), (1004, false), (1006, false), (1007, true), (1014, true), (1015, false),
            (2999, false), (3000, true), (4999, true), (5000, false),
        ] as [(UInt16, Bool)])
    func `only some close codes may be sent`(code: UInt16, isSendable: Bool) {
        #expect(WebSocketCloseCode(rawValue: code).isSendable == isSendable)
    }

    @Test func `a long reason is cut between characters`() throws {
        let close = WebSocketClose(.normal, reason: String(repeating: "é", count: 100))
        #expect(close.payload.count == 2 + 122)
        #expect(try WebSocketClose(parsing: close.payload.span).reason == String(repeating: "é", count: 61))
        #expect(WebSocketClose(nil).payload.isEmpty)
    }

    private struct Wrong: Error {
        var text: String
        init(_ text: String) { self.text = text }
    }
}
