import TestSupport
import Testing
import TunnelWire

/// What holds for every stream of messages, tried on many.
struct JSONRPCProperties {
    private static func id(_ sample: inout Sample) -> JSONRPCID {
        switch sample.int(in: 0...2) {
        case 0: .number(sample.element(of: ["1", "0", "-3", "1.50", "99999999999999999999"]))
        case 1: .string(sample.text(of: "aé😀\"\\\n{}[]:,", count: 0...5))
        default: .null
        }
    }

    private static func message(_ sample: inout Sample) -> JSONRPCMessage {
        let text = JSONValue.string(sample.text(of: "a{}[]\",:\\\nContent-Length: 5\r\n", count: 0...30))
        let params = sample.element(of: [
            JSONRPCParams.none, .named([JSONMember("id", text)]), .positional([text, .array([text])]),
        ])
        switch sample.int(in: 0...2) {
        case 0: return .request(id: id(&sample), method: "m", params: params)
        case 1: return .notification(method: "n", params: params)
        default: return .response(id: id(&sample), .success(text))
        }
    }

    private static func cuts(_ sample: inout Sample, of byteCount: Int) -> [Int] {
        guard byteCount > 1 else { return [] }
        return Set(sample.list(upTo: 6) { $0.int(in: 1...(byteCount - 1)) }).sorted()
    }

    @Test func `messages come out of a stream as they went in, whatever the pieces`() throws {
        try checkProperty { sample in
            let messages = sample.list(upTo: 6) { Self.message(&$0) }
            let framing = sample.element(of: JSONRPCFraming.allCases)
            let bytes = messages.flatMap { framing.frame($0.json) }
            let events = JSONRPCStreamReaderTests.events(of: bytes, cuts: Self.cuts(&sample, of: bytes.count))
            try sample.check(events, is: messages.map { .value($0.json) })
            for case .value(let value) in events {
                try sample.check((try? JSONRPCMessage(value)).map(\.json) == value, "a message is not read again")
            }
        }
    }

    @Test func `a damaged stream says the same in every cut, and a sound message after it is read`() throws {
        try checkProperty(cases: 3000) { sample in
            let framing = sample.element(of: JSONRPCFraming.allCases)
            // The stream begins soundly, or its framing would be another one.
            let first = framing.frame(.members(["id": .string("first")]))
            var bytes = sample.list(upTo: 3) { Self.message(&$0) }.flatMap { framing.frame($0.json) }
            for _ in 0..<sample.int(in: 1...4) {
                let index = sample.int(in: 0...bytes.count)
                switch sample.int(in: 0...2) {
                case 0 where index < bytes.count: bytes.remove(at: index)
                case 1 where index < bytes.count: bytes[index] = UInt8(sample.int(in: 0...255))
                default: bytes.insert(sample.element(of: Array("{}[]\",:\\0195\r\nC-".utf8)), at: index)
                }
            }
            let last = JSONValue.members(["id": .string("last")])
            bytes = first + bytes + (framing == .lines ? [0x0A] : []) + framing.frame(last)
            sample.note(String(decoding: bytes, as: UTF8.self).debugDescription)
            let whole = JSONRPCStreamReaderTests.events(of: bytes)
            try sample.check(JSONRPCStreamReaderTests.events(of: bytes, cuts: Self.cuts(&sample, of: bytes.count)), is: whole)
            let isTold = whole.contains { event in
                switch event {
                case .value(let value): value == last
                case .refused(let refusal): refusal.id == .string("last")
                }
            }
            try sample.check(isTold, "the message after the damage was lost")
        }
    }

    @Test func `a request that is cut short is refused under its own id or none`() throws {
        try checkProperty { sample in
            let id = Self.id(&sample)
            let text = JSONRPCMessage.request(id: id, method: "m", params: .positional([.string("x"), .integer(1)])).json
                .serialized
            let cut = Array(text.prefix(sample.int(in: 1...(text.count - 1))))
            for framing in JSONRPCFraming.allCases {
                let head = framing == .headers ? Array("Content-Length: \(cut.count)\r\n\r\n".utf8) : []
                for event in JSONRPCStreamReaderTests.events(of: head + cut) {
                    guard case .refused(let refusal) = event else { continue }
                    try sample.check(refusal.id == id || refusal.id == .null, "it was refused under \(refusal.id)")
                }
            }
        }
    }
}
