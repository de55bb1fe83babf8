import TestSupport
import Testing

@testable import TunnelWire

struct HTTPSyntaxTests {
    @Test func `the byte classes are those of the RFC`() {
        let token = Set("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ".utf8)
        for byte in UInt8.min...UInt8.max {
            #expect(HTTPSyntax.isToken(byte) == token.contains(byte))
            #expect(HTTPSyntax.isFieldValue(byte) == (byte == 9 || (byte >= 32 && byte != 127)))
            #expect(HTTPSyntax.isTarget(byte) == (byte > 32 && byte < 127 && byte != 35))
            #expect(HTTPSyntax.isDigit(byte) == (48...57).contains(byte))
            let digit = Int(String(UnicodeScalar(byte)), radix: 16).map { UInt8($0) }
            #expect(HTTPSyntax.hexValue(byte) == digit)
            let folded =
                String(UnicodeScalar(byte)).utf8.count == 1 ? Character(UnicodeScalar(byte)).lowercased().utf8.first : byte
            #expect(byte.asciiLowercased == folded)
        }
    }

    @Test func `eight bytes at a time give the answer of one at a time`() throws {
        try checkProperty { sample in
            let bytes = sample.list(upTo: 40) {
                UInt8($0.element(of: [0x61, 0x20, 0x09, 0x7F, 0x80, 0xFF, 0x1F, 0x00, 0x7E, 0x81]))
            }
            try sample.check(HTTPSyntax.isFieldValue(bytes.span), is: bytes.allSatisfy(HTTPSyntax.isFieldValue))
            try sample.check(bytes.span.isUTF8, is: String(validating: bytes, as: UTF8.self) != nil)
            let byte = sample.element(of: [0x61, 0x00, 0x7F, 0x80, 0xFF] as [UInt8])
            let start = sample.int(in: 0...bytes.count)
            try sample.check(bytes.span.firstIndex(of: byte, from: start), is: bytes[start...].firstIndex(of: byte))
        }
    }

    @Test func `list elements come without blanks, and empty ones not at all`() {
        let list = Array(" a ,, b\tc ,\t, d,".utf8)
        var elements: [String] = []
        list.span.forEachListElement { elements.append(String(decodingLossily: $0)) }
        #expect(elements == ["a", "b\tc", "d"])
    }

    @Test func `case is ignored for ASCII letters only`() {
        // Swift Testing cannot take a span apart inside an expectation, so the answers are made outside.
        let cases: [(text: String, pattern: StaticString, isSameInAnyCase: Bool, isSame: Bool)] = [
            ("ChUnKeD", "chunked", true, false), ("chunked", "chunked", true, true), ("chunke\u{1}", "chunked", false, false),
            ("@", "`", false, false), ("chunke", "chunked", false, false), ("", "", true, true),
        ]
        for (text, pattern, isSameInAnyCase, isSame) in cases {
            let bytes = Array(text.utf8)
            let inAnyCase = bytes.span.equalsIgnoringCase(pattern)
            let exactly = bytes.span.equals(pattern)
            #expect(inAnyCase == isSameInAnyCase, "\(text)")
            #expect(exactly == isSame, "\(text)")
        }
    }
}
