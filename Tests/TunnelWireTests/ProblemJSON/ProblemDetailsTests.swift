import Testing

@testable import TunnelWire

struct ProblemDetailsTests {
    @Test func `a document has its members in order`() {
        let problem = ProblemDetails(
            type: "https://a/b", title: "No \"such\" thing", status: 404, detail: "Line\nbreak", instance: "req_1",
            extensions: [
                .init("limit", .integer(-5)), .init("ok", .bool(true)), .init("off", .bool(false)), .init("none", .null),
                .init("names", .array([.string("a"), .object([.init("b", .array([]))]), .object([])])),
                .init("status", .integer(1)),
            ])
        #expect(
            String(decoding: problem.json(), as: UTF8.self)
                == #"{"type":"https://a/b","title":"No \"such\" thing","status":404,"detail":"Line\nbreak","instance":"req_1","#
                + #""limit":-5,"ok":true,"off":false,"none":null,"names":["a",{"b":[]},{}]}"#)
    }

    @Test func `the least document names type, title and status`() {
        let json = ProblemDetails(title: "Gone", status: 410).json()
        #expect(String(decoding: json, as: UTF8.self) == #"{"type":"about:blank","title":"Gone","status":410}"#)
    }

    /// Each line of the fixture is a text as another writer wrote it; unescaping it is done here by hand, writing it by ours.
    @Test func `strings are escaped as Python escapes them`() throws {
        let lines = try WireFixtures.text("ProblemJSON/strings.json").unicodeScalars.split(separator: "\n")
        #expect(lines.count > 400)
        for line in lines {
            var writer = JSONWriter()
            writer.string(unescaped(line))
            #expect(writer.bytes == Array(String(line).utf8))
        }
    }

    private func unescaped(_ line: String.UnicodeScalarView.SubSequence) -> String {
        var text = String.UnicodeScalarView()
        var rest = line.dropFirst().dropLast()
        let letters: [Unicode.Scalar: Unicode.Scalar] = ["b": "\u{8}", "t": "\t", "n": "\n", "f": "\u{c}", "r": "\r"]
        while let scalar = rest.popFirst() {
            guard scalar == "\\", let letter = rest.popFirst() else {
                text.append(scalar)
                continue
            }
            if letter == "u", let code = UInt32(String(rest.prefix(4)), radix: 16), let escaped = Unicode.Scalar(code) {
                text.append(escaped)
                rest = rest.dropFirst(4)
            } else {
                text.append(letters[letter] ?? letter)
            }
        }
        return String(text)
    }
}
