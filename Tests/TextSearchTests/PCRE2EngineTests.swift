import Testing
import TunnelWire

@testable import TextSearch

/// Careless patterns and hostile texts. What holds is told in steps, never in time.
struct PCRE2EngineTests {
    static let stepCountMax = WebhookFilter.stepCountMaxDefault

    /// What the texts repeat that make backtracking matchers go to and fro.
    static let parts = ["a", "ab", "aa ", "1", "é", "x=", "\n", "((", "a.b.", "🙂"]

    /// As long a text as a filter looks at.
    static func text(repeating part: String) -> String {
        let whole = String(repeating: part, count: SearchPattern.characterCountMax)
        return String(whole.unicodeScalars.prefix(SearchPattern.characterCountMax - 1)) + "!"
    }

    /// From reports about real filters, and from the literature on matchers that backtrack.
    static let patterns = [
        "(a+)+$", "(a*)*$", "(a|a)*$", "(a|aa)+$", "(.*)*$", "(.*a){12}$", "^(([a-z])+.)+[A-Z]([a-z])+$", #"(\w+\s?)+$"#,
        #"^(\d+)+$"#, #"([^=]*=)*[^=]*$1"#, "(x+x+)+y", "(?:(?:a*)*)*b", "(?=(a+)+$)c", "((a?){64}){8}a{64}$",
        "(?:.|\\n)*?(?:.|\\n)*?z",
        #"(a+)(\1+)+$"#, "(?<n>a|b|ab)*(?&n)*c$", "(\\((?:[^()]|(?1))*\\))+$", #"(?>a+|b)*(?>a+|b)*c"#, ".*.*.*.*=.*z",
        "(?:a|é|🙂|.)+?(?:a|é|🙂|.)+?$^",
    ]

    @Test(arguments: patterns, parts)
    func `no text keeps a pattern busy beyond its steps`(pattern: String, part: String) throws {
        let text = Self.text(repeating: part)
        let engine = try PCRE2Compiler().engine(for: pattern)
        let (result, stepCount) = engine.search(text, stepCountMax: Self.stepCountMax)
        #expect(stepCount <= Self.stepCountMax)
        switch result {
        case .found, .notFound: break
        case .gaveUp(.steps): #expect(stepCount == Self.stepCountMax)
        case .gaveUp(.memory): #expect(stepCount > 0)
        }
    }

    @Test func `the pattern of the threat model is given up, and not taken for absent`() throws {
        let engine = try PCRE2Compiler().engine(for: "(a+)+$")
        let text = String(repeating: "a", count: SearchPattern.characterCountMax - 1) + "b"
        #expect(engine.search(text, stepCountMax: Self.stepCountMax) == (.gaveUp(.steps), Self.stepCountMax))
    }

    @Test func `the last step that is allowed is taken, and no other`() throws {
        let engine = try PCRE2Compiler().engine(for: "(?:a|b)+[cd]")
        let text = String(repeating: "ab", count: 20)
        let needed = engine.search(text, stepCountMax: Self.stepCountMax).stepCount
        #expect(needed > 100)
        #expect(engine.search(text, stepCountMax: needed) == (.notFound, needed))
        #expect(engine.search(text, stepCountMax: needed - 1) == (.gaveUp(.steps), needed - 1))
        #expect(engine.search(text, stepCountMax: 0) == (.gaveUp(.steps), 0))
    }

    @Test func `memory that a search may take is bounded too`() throws {
        let groups = String(repeating: "(", count: 30) + "a" + String(repeating: ")", count: 30)
        let engine = try PCRE2Compiler().engine(for: "(?:\(groups)|.)*(?:\(groups)|.)*[yz]")
        let text = String(repeating: "a", count: SearchPattern.characterCountMax)
        let (result, stepCount) = engine.search(text, stepCountMax: 100_000_000)
        #expect(result == .gaveUp(.memory))
        #expect(stepCount < 100_000_000)
    }
}
