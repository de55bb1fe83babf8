import Testing
import TunnelDomain

@testable import TunnelWire

struct WebhookFilterTests {
    static let request = WebhookRequest(
        method: "POST", target: "/in?env=prod&env=eu&x=a%20b", origin: "https://h.example",
        fields: [WebhookField("x-event", "push"), WebhookField("x-tag", "a"), WebhookField("x-tag", "b")],
        body: Array(#"{"ref":"refs/heads/main","n":1.50,"nothing":null}"#.utf8), address: "192.0.2.7",
        receivedAt: Timestamp(secondsSinceEpoch: 0))

    static func json(_ text: String) -> WebhookFilter.Source { .json(JSONPointer(text) ?? JSONPointer(tokens: [])) }

    static func pattern(_ text: String) -> WebhookFilter.Claim { SearchPattern(text).map { .matches($0) } ?? .isIn([]) }

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
        #expect(filter.wants(Self.request, json: value) == isWanted)
    }

    @Test func `nothing is at any pointer of a body that is no JSON`() {
        #expect(!WebhookFilter.test(Self.json(""), .exists).wants(Self.request, json: nil))
    }

    @Test func `what is no regular expression is refused, and long values are looked at in part`() {
        #expect(SearchPattern("(") == nil)
        let long = String(repeating: "a", count: SearchPattern.characterCountMax)
        #expect(SearchPattern("b")?.isFound(in: long + "b") == false)
        #expect(SearchPattern("a$")?.isFound(in: long + "b") == true)
    }
}
