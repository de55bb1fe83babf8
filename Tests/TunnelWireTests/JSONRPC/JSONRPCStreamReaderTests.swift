import Testing
import TunnelWire

struct JSONRPCStreamReaderTests {
    static let fixtures = WireFixtures.names(in: "JSONRPC", ending: ".stream")

    /// What a reader says of a stream that comes in pieces.
    static func events(
        of bytes: [UInt8], cuts: [Int] = [], limits: JSONRPCLimits = JSONRPCLimits()
    ) -> [JSONRPCStreamReader.Event] {
        var reader = JSONRPCStreamReader(limits: limits)
        var events: [JSONRPCStreamReader.Event] = []
        var start = 0
        for end in cuts + [bytes.count] {
            reader.receive(bytes.span.extracting(start..<end))
            while let event = reader.next() { events.append(event) }
            start = end
        }
        reader.finish()
        while let event = reader.next() { events.append(event) }
        return events
    }

    /// As the fixtures' `.events` files have it: what kind of event, and the id.
    private func line(_ event: JSONRPCStreamReader.Event) -> String {
        switch event {
        case .value(let value): "value " + (value["id"].map { String(decoding: $0.serialized, as: UTF8.self) } ?? "-")
        case .refused(let refusal): "refused " + String(decoding: refusal.id.json.serialized, as: UTF8.self)
        }
    }

    @Test(arguments: fixtures)
    func `a stream brings its messages, and refusals with ids where they can be found`(name: String) throws {
        let expected = try WireFixtures.text("JSONRPC/\(name).events").split(separator: "\n").map(String.init)
        let told = Self.events(of: try WireFixtures.bytes("JSONRPC/\(name).stream")).map(line)
        #expect(told == expected, "\(told)")
    }

    @Test(arguments: fixtures)
    func `a stream says the same in every cut`(name: String) throws {
        let bytes = try WireFixtures.bytes("JSONRPC/\(name).stream")
        let whole = Self.events(of: bytes)
        for cut in 1..<bytes.count {
            try #require(Self.events(of: bytes, cuts: [cut]) == whole, "cut at \(cut)")
        }
        #expect(Self.events(of: bytes, cuts: Array(1..<bytes.count)) == whole)
    }

    @Test func `there are fixtures`() { #expect(Self.fixtures.count >= 8) }

    @Test(arguments: [
        ("{", JSONRPCFraming.lines), ("  \n[", .lines), ("Content-Length", .headers), ("CONTENT-TYPE", .headers),
        ("Con", nil), ("", nil), ("Connect\n", .lines), ("x", .lines),
    ])
    func `the first bytes tell the framing`(text: String, framing: JSONRPCFraming?) {
        var reader = JSONRPCStreamReader()
        let bytes = Array(text.utf8)
        reader.receive(bytes.span)
        _ = reader.next()
        #expect(reader.framing == framing)
    }

    @Test(arguments: JSONRPCFraming.allCases)
    func `what is framed is read`(framing: JSONRPCFraming) {
        let values: [JSONValue] = [.members(["a": .string("é\n\u{2028}")]), .array([]), .string("Content-Length: 5\r\n\r\n")]
        #expect(Self.events(of: values.flatMap(framing.frame)) == values.map { .value($0) })
    }
}

// MARK: - Limits

extension JSONRPCStreamReaderTests {
    /// A request of exactly so many bytes, its id at the end.
    private func request(byteCount: Int) -> [UInt8] {
        let (head, tail) = (#"{"jsonrpc":"2.0","method":"m","params":[""#, #""],"id":7}"#)
        return Array((head + String(repeating: "x", count: byteCount - head.count - tail.count) + tail).utf8)
    }

    @Test(arguments: JSONRPCFraming.allCases)
    func `a message may have as many bytes as the limit says`(framing: JSONRPCFraming) throws {
        var limits = JSONRPCLimits()
        limits.messageByteCountMax = 200
        for (byteCount, isTaken) in [(199, true), (200, true), (201, false), (5000, false)] {
            let first = request(byteCount: byteCount)
            let head = framing == .headers ? Array("Content-Length: \(byteCount)\r\n\r\n".utf8) : []
            let stream = head + first + (framing == .lines ? [0x0A] : []) + framing.frame(.members(["id": .integer(8)]))
            for cuts in [[], Array(stride(from: 64, to: stream.count, by: 64))] {
                let events = Self.events(of: stream, cuts: cuts, limits: limits)
                try #require(events.count == 2)
                #expect(events[1] == .value(.members(["id": .integer(8)])))
                guard case .refused(let refusal) = events[0] else {
                    #expect(isTaken)
                    continue
                }
                #expect(!isTaken && refusal.id == .number("7"))
                #expect(refusal.error.code == JSONRPCError.Code.invalidRequest)
            }
        }
    }

    @Test func `a header may have as many bytes as the limit says`() {
        var limits = JSONRPCLimits()
        limits.headerByteCountMax = 100
        for (byteCount, isTaken) in [(100, true), (101, false)] {
            let (head, tail) = ("Content-Length: 8\r\nX: ", "\r\n\r\n")
            let filler = String(repeating: "x", count: byteCount - head.utf8.count - tail.utf8.count)
            let events = Self.events(of: Array("\(head)\(filler)\(tail){\"id\":7}".utf8), limits: limits)
            #expect(events.count == 1)
            #expect((events.first == .value(.members(["id": .integer(7)]))) == isTaken)
        }
    }

    @Test func `values may be nested as deep as the limit says`() {
        var limits = JSONRPCLimits()
        limits.depthMax = 5
        for (depth, isTaken) in [(5, true), (6, false)] {
            let brackets = String(repeating: "[", count: depth - 1) + String(repeating: "]", count: depth - 1)
            let events = Self.events(of: Array(#"{"id":3,"params":\#(brackets)}"#.utf8), limits: limits)
            guard case .refused(let refusal)? = events.first else {
                #expect(isTaken && events.count == 1)
                continue
            }
            #expect(!isTaken && refusal.id == .number("3"))
        }
    }

    @Test func `a batch may have as many messages as the limit says`() {
        let message = JSONRPCMessage.notification(method: "m", params: .none).json
        #expect(
            JSONRPCInput(.array([message, message]), batchCountMax: 2)
                == .batch(Array(repeating: .success(.notification(method: "m", params: .none)), count: 2)))
        guard case .single(.failure(let refusal)) = JSONRPCInput(.array([message, message, message]), batchCountMax: 2) else {
            Issue.record("a batch that is too long was taken")
            return
        }
        #expect(refusal.error.code == JSONRPCError.Code.invalidRequest)
    }

    /// The reader must not look again at what it saw: in small pieces that would never end.
    @Test func `a long message in small pieces is read once`() {
        for framing in JSONRPCFraming.allCases {
            let text = String(repeating: "x", count: 2_000_000)
            let bytes = framing.frame(.string(text))
            let cuts = Array(stride(from: 16, to: bytes.count, by: 16))
            #expect(Self.events(of: bytes, cuts: cuts) == [.value(.string(text))])
        }
    }
}
