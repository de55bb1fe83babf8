import TestSupport
import Testing
import TunnelDomain

struct TunnelNameTests {
    @Test(
        arguments: [
            ("", .tooShort(byteCount: 0)),
            ("ab", .tooShort(byteCount: 2)),
            (String(repeating: "a", count: 64), .tooLong(byteCount: 64)),
            ("My-Agent", .illegalCharacter("M", at: 0)),
            ("my agent", .illegalCharacter(" ", at: 2)),
            ("my_agent", .illegalCharacter("_", at: 2)),
            ("my.agent", .illegalCharacter(".", at: 2)),
            ("agé", .illegalCharacter("é", at: 2)),
            ("agent１", .illegalCharacter("１", at: 5)),
            ("-agent", .hyphenFirst),
            ("agent-", .hyphenLast),
            ("---", .hyphenFirst),
            ("my--agent", .doubleHyphen(at: 2)),
            ("xn--bcher-kva", .doubleHyphen(at: 2)),
        ] as [(String, TunnelNameError)])
    func `a bad name says what is bad`(text: String, error: TunnelNameError) {
        #expect(throws: error) { try TunnelName(validating: text) }
    }

    // Not a table: the characters would end up in the test log.
    @Test func `control characters are refused, a trailing newline too`() {
        for character in ["\n", "\r", "\u{0}", "\u{7F}"] as [Unicode.Scalar] {
            #expect(throws: TunnelNameError.illegalCharacter(character, at: 5)) {
                try TunnelName(validating: "agent\(character)")
            }
        }
    }

    @Test(arguments: ["abc", "a-b", "000", "a1-b2-c3", String(repeating: "a", count: 63)])
    func `a good name is kept as it is`(text: String) throws {
        #expect(try TunnelName(validating: text).text == text)
    }

    @Test(arguments: [
        (TunnelNameError.illegalCharacter("M", at: 0), "write names in lower case"),
        (.illegalCharacter("\n", at: 5), "U+000A"),
        (.illegalCharacter("'", at: 1), "'''"),
        (.illegalCharacter("_", at: 2), "'_' at position 3"),
        (.illegalCharacter("M", at: 0), "M at position 1"),
        (.illegalCharacter("\u{7F}", at: 0), "U+007F"),
        (.illegalCharacter("~", at: 0), "'~'"),
        (.illegalCharacter(" ", at: 0), "U+0020"),
        (.doubleHyphen(at: 2), "position 3"),
        (.tooShort(byteCount: 2), "at least 3"),
        (.tooLong(byteCount: 64), "at most 63"),
    ])
    func `an explanation says what would be right`(error: TunnelNameError, part: String) {
        #expect(error.explanation.contains(part))
        #expect(!error.explanation.contains("\n"))
    }

    @Test func `names of up to five characters equal the reference`() {
        let alphabet: [Unicode.Scalar] = ["a", "7", "-", "Z", "_", "é", "\n"]
        var texts = [""]
        for length in 0...5 {
            if length > 0 { texts = texts.flatMap { text in alphabet.map { text + String($0) } } }
            let differing = texts.first { ((try? TunnelName(validating: $0)) != nil) != isNameByReference($0) }
            #expect(differing == nil)
        }
    }

    @Test func `names of any length equal the reference`() throws {
        try checkProperty { sample in
            let usual = sample.chance(oneIn: 3) ? "abcxyz0189-.A_ \u{DF}" : "abc019-"
            let text = sample.text(of: usual, count: 0...70)
            sample.note(text)
            try sample.check((try? TunnelName(validating: text)) != nil, is: isNameByReference(text))
        }
    }

    @Test func `one wrong character is found where it is`() throws {
        try checkProperty { sample in
            let name = sample.tunnelName()
            let wrong = sample.element(of: Array("A Z_./@é\u{0}\u{7F}:%".unicodeScalars))
            let position = sample.int(in: 0...name.text.utf8.count - 1)
            var scalars = Array(name.text.unicodeScalars)
            scalars[position] = wrong
            var text = String.UnicodeScalarView()
            text.append(contentsOf: scalars)
            sample.note(String(text))
            // The character may be one byte longer than the one it replaces; the length is looked at first.
            guard String(text).utf8.count <= TunnelName.byteCountMax else { return }
            let error = #expect(throws: TunnelNameError.self) { try TunnelName(validating: String(text)) }
            try sample.check(error, is: .illegalCharacter(wrong, at: position))
        }
    }
}

/// The naming rules by another method: cut at the hyphens, and every piece must be there and be plain.
func isNameByReference(_ text: String) -> Bool {
    let plain = Set("abcdefghijklmnopqrstuvwxyz0123456789".unicodeScalars)
    let pieces = text.unicodeScalars.split(separator: "-", omittingEmptySubsequences: false)
    return (3...63).contains(text.unicodeScalars.count)
        && pieces.allSatisfy { piece in !piece.isEmpty && piece.allSatisfy { plain.contains($0) } }
}

extension Sample {
    /// Draws a valid name.
    mutating func tunnelName() -> TunnelName {
        while true {
            let text = text(of: "abcdefghijklmnopqrstuvwxyz0123456789-", count: 3...63)
            // Mend what is wrong instead of drawing again, so that shrinking stays short.
            var bytes = Array(text.utf8)
            for index in bytes.indices where bytes[index] == 0x2D {
                if index == 0 || index == bytes.count - 1 || bytes[index - 1] == 0x2D { bytes[index] = 0x78 }
            }
            if let name = try? TunnelName(validating: String(decoding: bytes, as: UTF8.self)) { return name }
        }
    }
}
