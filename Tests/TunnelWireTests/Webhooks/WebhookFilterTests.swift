import Testing
import TextSearch
import TunnelDomain

@testable import TunnelWire

struct WebhookFilterTests {
    static let request = WebhookRequest(
        method: "POST", target: "/in?env=prod&env=eu&x=a%20b", origin: "https://h.example",
        fields: [WebhookField("x-event", "push"), WebhookField("x-tag", "a"), WebhookField("x-tag", "b")],
        body: Array(#"{"ref":"refs/heads/main","n":1.50,"nothing":null}"#.utf8), address: "192.0.2.7",
        receivedAt: Timestamp(secondsSinceEpoch: 0))

    static func json(_ text: String) -> WebhookFilter.Source { .json(JSONPointer(text) ?? JSONPointer(tokens: [])) }

    static func pattern(_ text: String) -> WebhookFilter.Claim {
        (try? SearchPattern(text, by: PCRE2Compiler())).map { .matches($0) } ?? .isIn([])
    }

    static let cases: [(WebhookFilter, Bool)] = [
        (.test(.field("x-event"), .equals("push")), true), (.test(.field("x-event"), .equals("Push")), false),
        (.test(.field("x-tag"), .equals("b")), true), (.test(.field("x-none"), .exists), false),
        (.test(.query("env"), .isIn(["dev", "eu"])), true), (.test(.query("x"), .equals("a b")), true),
        (.test(.query("y"), .exists), false), (.test(json("/ref"), pattern("^refs/heads/(main|master)$")), true),
        (.test(json("/ref"), pattern("^heads")), false), (.test(json("/n"), .equals("1.50")), true),
        (.test(json("/nothing"), .exists), true), (.test(json("/missing"), .exists), false), (.all([]), true),
        (.any([]), false),
        (.not(.any([])), true), (.all([.test(.field("x-event"), .exists), .test(json("/missing"), .exists)]), false),
        (.any([.test(.field("x-event"), .exists), .test(json("/missing"), .exists)]), true),
    ]

    @Test(arguments: cases)
    func `a filter wants what it says`(filter: WebhookFilter, isWanted: Bool) throws {
        let value = try JSONValue(parsing: Self.request.body)
        #expect(filter.verdict(on: Self.request, json: value) == (isWanted ? .wanted : .unwanted))
    }

    @Test func `nothing is at any pointer of a body that is no JSON`() {
        #expect(WebhookFilter.test(Self.json(""), .exists).verdict(on: Self.request, json: nil) == .unwanted)
    }

    @Test func `long values are looked at in part, by characters that no combining mark makes longer`() throws {
        let long = String(repeating: "a", count: SearchPattern.characterCountMax)
        func search(_ text: String, _ value: String) throws -> SearchResult {
            var steps = WebhookFilter.stepCountMaxDefault
            return try SearchPattern(text, by: PCRE2Compiler()).search(value, stepsLeft: &steps)
        }
        #expect(try search("b", long + "b") == .notFound)
        #expect(try search("b", long.dropLast() + "b") == .found)
        #expect(try search("a$", long + "b") == .found)
        #expect(try search("b", "a" + String(repeating: "\u{301}", count: SearchPattern.characterCountMax) + "b") == .notFound)
    }

    // MARK: - What cannot be decided

    /// An engine that takes so many steps for a value, whatever is asked of it, and finds nothing.
    private struct Ploughman: PatternCompiler, PatternEngine {
        var stepCount: Int
        func engine(for pattern: String) throws(PatternFlaw) -> any PatternEngine { self }
        func search(_ text: String, stepCountMax: Int) -> (result: SearchResult, stepCount: Int) {
            stepCount > stepCountMax ? (.gaveUp(.steps), stepCountMax) : (.notFound, stepCount)
        }
    }

    private static func costly(_ stepCount: Int, _ source: WebhookFilter.Source = .field("x-event")) throws -> WebhookFilter {
        .test(source, .matches(try SearchPattern("p", by: Ploughman(stepCount: stepCount))))
    }

    @Test func `what is undecided is neither wanted nor unwanted, unless the rest decides without it`() throws {
        let doubt = try Self.costly(9)
        let (yes, no) = (WebhookFilter.all([]), WebhookFilter.any([]))
        let undecided = FilterVerdict.undecided(try SearchPattern("p", by: Ploughman(stepCount: 0)), .steps)
        let cases: [(WebhookFilter, FilterVerdict)] = [
            (doubt, undecided), (.not(doubt), undecided), (.not(.not(doubt)), undecided),
            (.all([doubt, yes]), undecided), (.all([yes, doubt]), undecided), (.all([doubt, no]), .unwanted),
            (.all([no, doubt]), .unwanted), (.any([doubt, yes]), .wanted), (.any([yes, doubt]), .wanted),
            (.any([doubt, no]), undecided), (.any([no, doubt]), undecided), (.not(.any([doubt, yes])), .unwanted),
        ]
        for (filter, verdict) in cases {
            #expect(filter.verdict(on: Self.request, json: nil, stepCountMax: 8) == verdict, "\(filter)")
        }
    }

    @Test func `the steps are those of all patterns and values of one event together`() throws {
        let twice = WebhookFilter.any([try Self.costly(5), try Self.costly(5)])
        #expect(twice.verdict(on: Self.request, json: nil, stepCountMax: 10) == .unwanted)
        let undecided = FilterVerdict.undecided(try SearchPattern("p", by: Ploughman(stepCount: 0)), .steps)
        #expect(twice.verdict(on: Self.request, json: nil, stepCountMax: 9) == undecided)
        let ofTwoValues = try Self.costly(5, .field("x-tag"))
        #expect(ofTwoValues.verdict(on: Self.request, json: nil, stepCountMax: 10) == .unwanted)
        #expect(ofTwoValues.verdict(on: Self.request, json: nil, stepCountMax: 9) == undecided)
    }
}
