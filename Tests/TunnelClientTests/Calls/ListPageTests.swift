internal import FoundationEssentials
internal import Testing
@testable internal import TunnelClient

struct ListPageTests {
    private static func identity(_ handle: String) -> String { #"{"id":"i-\#(handle)","agent_handle":"\#(handle)"}"# }
    private static func tunnel(_ name: String) -> String {
        #"{"id":"t-\#(name)","tunnel_name":"\#(name)","tls_mode":"edge","status":"active"}"#
    }

    private static let line = """
        {"id":"e","action":"a.b","occurred_at":"2026-01-01T00:00:00Z","actor":{"type":"system"},"resource":{"type":"x"},
         "outcome":"success"}
        """

    @Test func `a list in an object pages by next_cursor`() async throws {
        let scripted = try ScriptedClient([
            .json(200, #"{"tunnels":[\#(Self.tunnel("c")),\#(Self.tunnel("b"))],"next_cursor":"17~a/b"}"#),
            .json(200, #"{"tunnels":[\#(Self.tunnel("a"))]}"#),
        ])
        #expect(try await scripted.client.tunnels().map(\.tunnelName) == ["c", "b", "a"])
        #expect(
            scripted.transport.sent.map(\.target)
                == ["/api/v1/tunnels?limit=200", "/api/v1/tunnels?limit=200&cursor=17%7Ea%2Fb"])
    }

    @Test func `a bare list pages by its link, on the server where it began`() async throws {
        let link = #"<https://elsewhere.example/api/v1/identities?limit=200&cursor=17~x>; rel="next""#
        let scripted = try ScriptedClient([
            .json(200, "[\(Self.identity("b"))]", fields: [("link", link)]), .json(200, "[\(Self.identity("a"))]"),
        ])
        #expect(try await scripted.client.identities().map(\.agentHandle) == ["b", "a"])
        #expect(scripted.transport.sent.map(\.target).last == "/api/v1/identities?limit=200&cursor=17~x")
        #expect(scripted.transport.sent.allSatisfy { $0.server.host == "tunnels.example" })
    }

    @Test(
        arguments: [
            (#"</a?cursor=1>; rel="next""#, "1"), (#"</a?limit=2&cursor=1~b&x=y>; rel="next""#, "1~b"),
            (#"</a?cursor=0>; rel="prev", </a?cursor=2>; rel="next""#, "2"), (#"</a?cursor=3>;rel=next"#, "3"),
            (#"</a?cursor=1>; rel="prev""#, nil), (#"</a>; rel="next""#, nil), ("", nil), (#"</a?cursor=>; rel="next""#, nil),
            (#"/a?cursor=1; rel="next""#, nil), (#"</a?cursor=a b>; rel="next""#, nil), (#"</a?cursor=1"#, nil),
        ] as [(String, String?)])
    func `a link's cursor is taken if it has one`(link: String, cursor: String?) {
        #expect(ListCursor(link: link)?.encoded == cursor)
    }

    @Test func `a list that goes in circles is told`() async throws {
        let page = ScriptedTransport.Step.json(200, #"{"tunnels":[],"next_cursor":"1"}"#)
        let scripted = try ScriptedClient([page, page, page])
        await #expect(
            throws: ClientError.unusableAnswer(status: 200, reason: "the next page of the list begins where this one did")
        ) {
            try await scripted.client.tunnels()
        }
        #expect(scripted.transport.sent.count == 2)
    }

    @Test func `no more pages are fetched than are asked for`() async throws {
        let scripted = try ScriptedClient([
            .json(200, #"{"audit_events":[\#(Self.line),\#(Self.line)],"next_cursor":"1"}"#),
            .json(200, #"{"audit_events":[\#(Self.line),\#(Self.line)],"next_cursor":"2"}"#),
        ])
        #expect(try await scripted.client.auditEvents(pageSize: 2).collect(limit: 3).count == 3)
        #expect(scripted.transport.sent.count == 2)
    }

    @Test func `iterating fetches a page when the one before is used up`() async throws {
        let scripted = try ScriptedClient([
            .json(200, #"{"audit_events":[\#(Self.line)],"next_cursor":"1"}"#),
            .json(200, #"{"audit_events":[],"next_cursor":"2"}"#),
            .json(200, #"{"audit_events":[\#(Self.line)]}"#), .json(500, ""),
        ])
        var count = 0
        for try await _ in scripted.client.auditEvents() {
            count += 1
            #expect(scripted.transport.sent.count == (count == 1 ? 1 : 3))
        }
        #expect(count == 2)
    }
}
