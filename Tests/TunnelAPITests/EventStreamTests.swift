import HTTPTransport
import TestSupport
import Testing
import TunnelDomain
import TunnelWire

@testable import TunnelAPI
@testable import TunnelService

/// `GET /api/v1/events` as a client sees it.
struct EventStreamTests {
    private static let path = "/api/v1/events"

    /// Opens a stream; the reply's body is only its beginning.
    private func open(
        _ harness: APIHarness, _ query: String = "", key: String? = nil, fields: [(String, String)] = []
    ) async -> BufferedResponse {
        var head = HTTPRequestHead(method: "GET", target: Self.path + query, authority: "localhost")
        head.fields.append("x-api-key", key ?? harness.home.apiKey)
        for (name, value) in fields { head.fields.append(name: name, value: value) }
        return await harness.api.respond(
            to: BufferedRequest(
                head: head, body: [], peer: Peer(address: "192.0.2.7", isTLS: true, isLoopback: false), requestID: "req-1"))
    }

    private func part(_ response: BufferedResponse) async throws -> String {
        String(decoding: try #require(await response.rest?.next()), as: UTF8.self)
    }

    @Test func `an event has its number, its type and one line of JSON`() async throws {
        let harness = try await APIHarness()
        let stream = await open(harness)
        #expect(stream.head.status == 200)
        #expect(stream.head.fields.first(named: "content-type") == "text/event-stream")
        #expect(stream.head.fields.first(named: "cache-control") == "no-store")
        #expect(String(decoding: stream.body, as: UTF8.self) == "retry: 2000\n\n")
        let tunnel = try await harness.createTunnel("my-agent")
        let lines = try await part(stream).split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.map { $0.prefix(6) } == ["id: 1", "event:", "data: ", "", ""])
        #expect(lines[1] == "event: tunnel.created")
        let data = try JSONValue(parsing: Array(lines[2].dropFirst(6).utf8))
        #expect(data["type"] == .string("tunnel.created"))
        #expect(data["tunnel_id"] == .string(tunnel.id))
        #expect(data["identity_id"] == .null)
        #expect(data["organization_id"] == .string(harness.home.organization.id.text))
        #expect(data["occurred_at"] == .string(harness.clock.now.iso8601))
        #expect(data["data"]?["tunnel_name"] == .string("my-agent"))
        #expect(!lines[2].contains(tunnel.secret))
    }

    @Test(arguments: [true, false])
    func `a client goes on where it was, by header or by query`(byHeader: Bool) async throws {
        let harness = try await APIHarness()
        for name in ["one", "two", "three"] { _ = try await harness.createTunnel(name) }
        let stream =
            byHeader
            ? await open(harness, "?last_event_id=0", fields: [("last-event-id", "1")])
            : await open(harness, "?last_event_id=1")
        let text = try await part(stream)
        #expect(text.contains("id: 2\n") && text.contains("id: 3\n") && !text.contains("id: 1\n"))
    }

    @Test func `a gap is the first event`() async throws {
        let harness = try await APIHarness()
        for name in ["one", "two", "three"] { _ = try await harness.createTunnel(name) }
        try await harness.store.write { try $0.forgetEvents(of: harness.home.organization.id, upTo: 2) }
        let stream = await open(harness, fields: [("last-event-id", "1")])
        let first = try await part(stream)
        #expect(first.hasPrefix("id: 2\nevent: log.truncated\ndata: {"))
        #expect(first.contains(#""data":{"reason":"forgotten","last_event_id":"1"}"#))
        #expect(try await part(stream).hasPrefix("id: 3\nevent: tunnel.created\n"))
    }

    @Test func `only the types that were asked for are told`() async throws {
        let harness = try await APIHarness()
        let stream = await open(harness, "?types=secret.*,tunnel.delete_pending")
        let id = try await harness.createTunnel("my-agent").id
        _ = try await harness.send("POST", "/api/v1/tunnels/\(id)/rotate-secret")
        _ = try await harness.send("DELETE", "/api/v1/tunnels/\(id)")
        let text = try await part(stream)
        #expect(text.contains("event: secret.rotated\n") && text.contains("event: tunnel.delete_pending\n"))
        #expect(!text.contains("tunnel.created"))
    }

    @Test(
        arguments: [
            ("?types=nothing", [], "?types"), ("?types=", [], "?types"), ("?types=tunnel.*,", [], "?types"),
            ("?last_event_id=-1", [], "?last_event_id"), ("?last_event_id=99999999999999999999", [], "?last_event_id"),
            ("", [("last-event-id", "x")], "Last-Event-ID"), ("", [("last-event-id", "")], nil),
        ] as [(String, [(String, String)], String?)])
    func `what is no id and no type is refused`(query: String, fields: [(String, String)], pointer: String?) async throws {
        let harness = try await APIHarness()
        let reply = try await harness.send("GET", Self.path + query, fields: fields)
        #expect(reply.pointers == (pointer.map { [$0] } ?? []))
        #expect(reply.status == (pointer == nil ? 200 : 422))
    }

    @Test func `a key that counts no more ends its stream before anything else is told`() async throws {
        let harness = try await APIHarness()
        let stream = await open(harness)
        _ = try await harness.createTunnel("my-agent")
        harness.store.arrange { tables in
            for index in tables.apiKeys.indices where tables.apiKeys[index].id == harness.home.keyRecord.id {
                tables.apiKeys[index].revokedAt = harness.clock.now
            }
        }
        #expect(await stream.rest?.next() == nil)
    }

    @Test func `strangers and identities' keys are refused, and HEAD holds no place`() async throws {
        let harness = try await APIHarness()
        #expect(try await harness.send("GET", Self.path, as: Credential.none).status == 401)
        let agent = try harness.arrangeIdentityTunnel("my-agent")
        #expect(try await harness.send("GET", Self.path, as: .key(agent.key)).status == 403)
        let head = try await harness.send("HEAD", Self.path)
        #expect(head.status == 200 && head.body.isEmpty)
        #expect(harness.ports.feed.listenerCount == 0)
    }

    @Test func `a stream too many is 429 until one is let go of`() async throws {
        var rules = ServiceRules(zone: try Zone(validating: "localhost"))
        rules.events.streamsPerOrganizationMax = 1
        let harness = try await APIHarness(rules: rules)
        var stream: BufferedResponse? = await open(harness)
        let refused = await open(harness)
        #expect(refused.head.status == 429)
        #expect(refused.head.fields.first(named: "retry-after") == "15")
        #expect(await open(harness, key: harness.foreign.apiKey).head.status == 200)
        stream?.rest?.cancel()
        stream = nil
        #expect(await open(harness).head.status == 200)
    }

    @Test func `a store that fails ends the stream and is noted`() async throws {
        let harness = try await APIHarness()
        let stream = await open(harness)
        harness.store.fail(reads: .io("gone"))
        #expect(await stream.rest?.next() == nil)
        #expect(harness.faults.all.count == 1)
    }
}
