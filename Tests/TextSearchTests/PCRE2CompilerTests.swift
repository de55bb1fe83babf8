import Testing
import TunnelWire

@testable import TextSearch

struct PCRE2CompilerTests {
    static func flaw(of pattern: String) -> PatternFlaw? {
        do {
            _ = try PCRE2Compiler().engine(for: pattern)
            return nil
        } catch { return error }
    }

    static func result(_ pattern: String, _ text: String) -> SearchResult? {
        try? PCRE2Compiler().engine(for: pattern).search(text, stepCountMax: WebhookFilter.stepCountMaxDefault).result
    }

    /// Each pattern with a text in which it is found and one in which it is not.
    @Test(arguments: [
        ("^refs/heads/(main|rel-.*)$", "refs/heads/rel-1", "refs/heads/release"), ("b", "abc", "aca"),
        ("^(?:push|release)$", "push", "pushed"), (#"^v\d+\.\d+\.\d+$"#, "v1.20.3", "v1.20"), ("(?i)^bot$", "BoT", "boat"),
        (#"^(\w+) \1$"#, "so so", "so no"), (#"(?<who>a|b)-\k<who>"#, "b-b", "a-b"), ("^a(?=b)", "ab", "ac"),
        ("^(?!feature/)", "main", "feature/x"), ("(?<=a)b", "ab", "cb"), ("(?<!a)b", "cb", "ab"), ("a{2,3}$", "caa", "ca"),
        ("^[^/]+$", "a", "a/b"), ("^[]x]$", "]", "y"), ("^[[:alpha:]-]+$", "a-b", "a1"), (#"^[\w&-]$"#, "&", "+"),
        ("(?>a+)b", "aab", "aac"), (#"\bcat\b"#, "a cat.", "concat"), (#"^\p{Greek}+$"#, "λόγος", "logos"),
        (#"^\d$"#, "٣", "x"), (#"^\w+$"#, "größe", "a b"), ("^.$", "🙂", "ab"), (#"\Q[a&&b]\E"#, "[a&&b]", "a"),
        (##"(?x) a \# b # a comment"##, "a#b", "ab"), (#"\x{41}"#, "A", "a"), ("^a?$", "", "b"), ("(?m)^b$", "a\nb\nc", "ab"),
        (#"\["#, "[", "]"), ("(?s)^a.b$", "a\nb", "ab"), ("{", "{", "}"), ("a{,x}", "a{,x}", "ax"),
    ])
    func `a pattern is found where it is, and not where it is not`(pattern: String, text: String, other: String) {
        #expect(Self.result(pattern, text) == .found)
        #expect(Self.result(pattern, other) == .notFound)
    }

    /// Otherwise “^main$” would let more through than it says.
    @Test(arguments: ["main\n", "main\r\n", "\nmain", "main\u{2028}", "main\u{0}"])
    func `the ends of the text are its ends, and no line's`(text: String) {
        #expect(Self.result("^main$", text) == .notFound)
        #expect(Self.result("^.*$", text) == (text.hasSuffix("\u{0}") ? .found : .notFound))
    }

    @Test(arguments: [
        ("(", "missing closing parenthesis", 1), ("a**", "quantifier does not follow", 2), ("[a", "missing terminating ]", 2),
        (#"\u0041"#, #"\u"#, 2), (#"\N{LATIN SMALL LETTER A}"#, #"\N{name}"#, 2), ("(?<=a*)b", "lookbehind", 0),
        (#"\C"#, #"\C"#, 2), (#"\p{Klingon}"#, "unknown property", 11), ("(?Z)", "unrecognized character after (?", 2),
        (#"(a)\2"#, "reference to non-existent subpattern", 4), ("[b-a]", "range out of order", 3), (#"\y"#, #"near “\y”"#, 1),
        ("a{,3}", "write {0,", 1), ("[a&&b]", #"write \&\&"#, 2), ("[a-z--b]", #"write \-\-"#, 4),
        ("[a~~b]", #"write \~\~"#, 2), ("[a[b]]", #"write \["#, 2), ("[^][]", #"write \["#, 3),
        ("((a{1,9999}){1,9999}){9}", "too large", 24), ("é(", "missing closing parenthesis", 2),
    ])
    func `what is not taken is named, with its place`(pattern: String, words: String, offset: Int) throws {
        let flaw = try #require(Self.flaw(of: pattern))
        #expect(flaw.description.contains(words), "\(flaw)")
        #expect(flaw.offset == offset, "\(flaw)")
    }

    @Test func `a pattern has so many bytes and no more`() {
        let longest = String(repeating: "é", count: PCRE2Compiler.patternByteCountMax / 2)
        #expect(Self.flaw(of: longest) == nil)
        #expect(Self.flaw(of: longest + "a")?.reason.contains("8192 bytes") == true)
    }

    @Test func `a pattern has so many capturing groups and no more`() {
        let most = String(repeating: "(a)(?:b)", count: PCRE2Compiler.capturingGroupsMax)
        #expect(Self.flaw(of: most) == nil)
        #expect(Self.flaw(of: most + "(a)")?.reason.contains("65 groups capture") == true)
    }
}
