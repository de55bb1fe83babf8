import TestSupport
import Testing

@testable import TunnelWire

struct ClientHelloReaderTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var file: String
        var answer: String
        var testDescription: String { file }
    }

    static let rows: [Row] = {
        guard let text = try? WireFixtures.text("ClientHello/expected.tsv") else { return [] }
        return text.split(separator: "\n").map { line in
            let columns = line.split(separator: "\t").map(String.init)
            let details = columns[1] == "hello" ? " \(columns[2]) \(columns[3])" : ""
            return Row(file: columns[0], answer: columns[1] + details)
        }
    }()

    @Test func `there are fixtures`() { #expect(Self.rows.count > 50) }

    @Test(arguments: rows)
    func `a first flight is answered as expected, in every cut`(row: Row) throws {
        let bytes = try WireFixtures.bytes("ClientHello/\(row.file).bin")
        var reader = ClientHelloReader()
        let whole = reader.read(bytes.span)
        #expect(Self.text(whole) == row.answer)
        for cut in stride(from: 0, to: bytes.count, by: max(1, bytes.count / 1500)) {
            var reader = ClientHelloReader()
            let early = reader.read(bytes.span.extracting(0..<cut))
            if early == .needMore { try #require(reader.read(bytes.span) == whole, "cut at \(cut)") }
            try #require(early == .needMore || early == whole, "cut at \(cut)")
        }
    }

    @Test func `a hello that arrives byte by byte is read once`() throws {
        let bytes = try WireFixtures.bytes("ClientHello/records-of-one-byte.bin")
        var reader = ClientHelloReader()
        let needed = (1...bytes.count).first { reader.read(bytes.span.extracting(0..<$0)) != .needMore }
        #expect(needed == bytes.count)
        #expect(Self.text(reader.read(bytes.span)) == "hello my-agent.localhost h2,http/1.1", "the answer stays")
    }

    @Test func `a hello may fill the limit and not a byte more`() throws {
        let limit = ClientHelloReader.byteCountMax
        let fitting = Self.hello(byteCount: limit)
        var reader = ClientHelloReader()
        #expect(Self.text(reader.read(fitting.span.extracting(0..<limit - 1))) == "needMore")
        #expect(Self.text(reader.read(fitting.span)) == "hello - -")
        let larger = Self.hello(byteCount: limit + 1)
        reader = ClientHelloReader()
        #expect(reader.read(larger.span) == .malformed(.tooLarge))
    }

    @Test func `noise never traps, and cuts do not change the answer`() throws {
        let seed = try WireFixtures.bytes("ClientHello/openssl-tls13.bin")
        try checkProperty { sample in
            var bytes = seed
            for _ in 0..<sample.int(in: 0...4) { bytes[sample.int(in: 0...bytes.count - 1)] = UInt8(sample.int(in: 0...255)) }
            var whole = ClientHelloReader()
            let answer = whole.read(bytes.span)
            var reader = ClientHelloReader()
            let cut = sample.int(in: 0...bytes.count)
            let early = reader.read(bytes.span.extracting(0..<cut))
            try sample.check(early == .needMore ? reader.read(bytes.span) : early, is: answer)
        }
    }

    private static func text(_ answer: ClientHelloReader.Answer) -> String {
        switch answer {
        case .needMore: "needMore"
        case .notTLS: "notTLS"
        case .malformed: "malformed"
        case .hello(let hello):
            "hello \(hello.serverName ?? "-") "
                + (hello.applicationProtocols.isEmpty ? "-" : hello.applicationProtocols.joined(separator: ","))
        }
    }

    /// A hello in two records that is exactly this long, thanks to an unknown extension.
    private static func hello(byteCount: Int) -> [UInt8] {
        let bodyByteCount = byteCount - 10 - 4
        let start: [UInt8] = [3, 3] + [UInt8](repeating: 1, count: 32) + [0, 0, 2, 0x13, 1, 1, 0]
        let rest = bodyByteCount - start.count - 6
        let body = start + be16(rest + 4) + [0x33, 0x33] + be16(rest) + [UInt8](repeating: 0, count: rest)
        let message = [1, 0] + be16(body.count) + body
        return [0x16, 3, 1] + be16(100) + message[..<100] + [0x16, 3, 1] + be16(message.count - 100) + message[100...]
    }

    private static func be16(_ value: Int) -> [UInt8] { [UInt8(value >> 8), UInt8(value & 0xFF)] }
}
