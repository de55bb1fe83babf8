import TestSupport
import Testing

@testable import TunnelWire

/// What our serialiser writes, our decoders read back, in any cut.
struct RoundTripTests {
    @Test func `a written request is read back`() throws {
        try checkProperty { sample in
            let head = HTTPRequestHead(
                method: sample.element(of: ["GET", "POST", "PUT", "M-SEARCH", "X!"]),
                target: "/" + sample.text(of: "ab/?&=%20;:@[]|~.", count: 0...30),
                authority: sample.element(of: ["a", "my-agent.localhost:8443", "127.0.0.1", "[::1]:80"]),
                fields: sample.fields())
            let body = Body(&sample)
            var bytes: [UInt8] = []
            try HTTP1Serializer.appendRequestHead(head, framing: body.framing, into: &bytes)
            bytes += try body.onTheWire()
            let pipelined = bytes + bytes
            let lines = Transcript.ofRequests(pipelined, cuts: sample.cuts(of: pipelined)).lines
            var expected = ["head \(head.method) \(head.target) \(head.authority) http11 \(body.length) keepAlive"]
            expected += ["  host: \(head.authority)"] + head.fields.indented + body.lines
            try sample.check(lines, is: expected + expected)
        }
    }

    @Test func `a written response is read back`() throws {
        try checkProperty { sample in
            let status = sample.element(of: [200, 201, 302, 404, 418, 500, 599])
            let head = HTTPResponseHead(status: status, fields: sample.fields())
            let body = Body(&sample)
            var bytes: [UInt8] = []
            if sample.bool() { try HTTP1Serializer.appendInterimHead(status: 103, fields: head.fields, into: &bytes) }
            let interim = bytes.isEmpty ? [] : ["head 103 http11 none keepAlive interim"] + head.fields.indented
            let framing = body.framing == .nothing ? .length(0) : body.framing
            try HTTP1Serializer.appendResponseHead(head, framing: framing, into: &bytes)
            bytes += try body.onTheWire()
            let lines = Transcript.ofResponse(bytes, to: "GET", cuts: sample.cuts(of: bytes)).lines
            let framingLine = body.framing == .nothing ? ["  content-length: 0"] : []
            let expected =
                interim + ["head \(status) http11 \(body.length) keepAlive"] + head.fields.indented + framingLine + body.lines
            try sample.check(lines, is: expected)
        }
    }

    /// Bytes of no meaning at all: the decoders must answer the same in every cut, and never trap.
    @Test func `noise is answered alike in every cut`() throws {
        let words = [
            "GET ", "POST ", "/", " HTTP/1.1", "\r\n", "\n", "\r", "Host: a", "Content-Length: ", "Transfer-Encoding: chunked",
            "5", "0", ";", ":", " ", "\t", "\u{0}", "x", "\r\n\r\n", "HTTP/1.1 200 OK", "HTTP/1.1 100 ",
        ]
        try checkProperty { sample in
            let bytes = sample.list(upTo: 24) { Array($0.element(of: words).utf8) }.flatMap { $0 }
            let cuts = sample.cuts(of: bytes)
            sample.note(String(decoding: bytes, as: UTF8.self).debugDescription)
            try sample.check(Transcript.ofRequests(bytes, cuts: cuts), is: Transcript.ofRequests(bytes))
            let single = Array(stride(from: 1, to: bytes.count, by: 1))
            try sample.check(Transcript.ofRequests(bytes, cuts: single), is: Transcript.ofRequests(bytes))
            try sample.check(
                Transcript.ofResponse(bytes, to: "GET", cuts: cuts), is: Transcript.ofResponse(bytes, to: "GET"))
        }
    }
}

/// A body with its framing, as it is meant and as it travels.
private struct Body {
    var chunks: [[UInt8]] = []
    var trailers: HTTPFields?
    var framing = HTTP1Framing.nothing

    init(_ sample: inout Sample) {
        switch sample.int(in: 0...2) {
        case 0: break
        case 1:
            chunks = [sample.bytes(sample.int(in: 1...40))]
            framing = .length(chunks[0].count)
        default:
            chunks = sample.list(upTo: 4) { $0.bytes($0.int(in: 1...20)) }
            trailers = sample.optional { $0.fields() }
            framing = .chunked
        }
    }

    var length: HTTP1BodyLength {
        switch framing {
        case .nothing, .untilClose: .none
        case .length(let count): .length(count)
        case .chunked: .chunked
        }
    }

    var lines: [String] {
        let framingLine: [String] =
            switch framing {
            case .nothing, .untilClose: []
            case .length(let count): ["  content-length: \(count)"]
            case .chunked: ["  transfer-encoding: chunked"]
            }
        let all = chunks.flatMap { $0 }.map { String($0, radix: 16) }.joined(separator: " ")
        return framingLine + (all.isEmpty ? [] : ["body \(all)"]) + ["end"] + (trailers?.indented ?? [])
    }

    func onTheWire() throws -> [UInt8] {
        guard framing == .chunked else { return chunks.flatMap { $0 } }
        var bytes: [UInt8] = []
        for chunk in chunks {
            HTTP1Serializer.appendChunkHead(byteCount: chunk.count, into: &bytes)
            bytes += chunk
            HTTP1Serializer.appendChunkEnd(into: &bytes)
        }
        try HTTP1Serializer.appendLastChunk(trailers: trailers, into: &bytes)
        return bytes
    }
}

extension Sample {
    /// Fields that no rule looks at, with legal values.
    fileprivate mutating func fields() -> HTTPFields {
        var fields = HTTPFields()
        for _ in 0..<int(in: 0...5) {
            let value = text(of: "ab \t,;\"é€!~", count: 0...20)
            let trimmed = value.drop { $0 == " " || $0 == "\t" }.reversed().drop { $0 == " " || $0 == "\t" }.reversed()
            fields.append(name: "x-" + text(of: "aB-_!~9", count: 1...10), value: String(trimmed))
        }
        return fields
    }

    fileprivate mutating func cuts(of bytes: [UInt8]) -> [Int] {
        guard bytes.count > 1 else { return [] }
        return Set(list(upTo: 6) { $0.int(in: 1...bytes.count - 1) }).sorted()
    }
}
