import TestSupport
import Testing
import TunnelAPI
import TunnelDomain
import TunnelService
import TunnelWire

/// The audit trail over the API (control plane, section 7).
struct AuditCallsTests {
    private static let path = "/api/v1/audit-events"

    @Test func `an event has every documented member`() async throws {
        let harness = try await APIHarness()
        let id = try await harness.createTunnel("my-agent").id
        let reply = try await harness.send("GET", Self.path)
        #expect(reply.status == 200)
        guard case .array(let events) = reply.json["audit_events"], case .object(let members) = events.first else {
            throw UnexpectedReply(text: reply.text)
        }
        let names = [
            "id", "sequence", "occurred_at", "action", "actor", "resource", "ip", "request_id", "outcome", "details",
            "previous_hash", "hash",
        ]
        #expect(members.map(\.name) == names)
        let event = events[0]
        #expect(event["action"] == .string("tunnel.create"))
        #expect(event["sequence"] == .integer(5))
        #expect(event["occurred_at"] == .string(harness.clock.now.iso8601))
        #expect(event["actor"]?["type"] == .string("api_key"))
        #expect(event["actor"]?["id"] == .string(harness.home.keyRecord.actor.id))
        #expect(event["actor"]?["label"] == .string("home"))
        #expect(event["resource"] == .members(["type": .string("tunnel"), "id": .string(id)]))
        #expect((event["ip"], event["request_id"]) == (.string("192.0.2.7"), .string("req-1")))
        #expect(event["outcome"] == .string("success"))
        #expect(event["details"] == .object([]))
        let stored = try #require(harness.store.contents.audit.last)
        #expect(event["hash"] == .string(Hex.encode(stored.hash)))
        #expect(event["previous_hash"] == .string(Hex.encode(stored.previousHash)))
        #expect(events.last?["ip"] == .null && events.last?["request_id"] == .null)
    }

    @Test func `an organization sees its own events alone, and the hash of a foreign one`() async throws {
        let harness = try await APIHarness()
        let mine = try await harness.send("GET", Self.path).sequences
        let theirs = try await harness.send("GET", Self.path, as: .key(harness.foreign.apiKey)).sequences
        #expect(mine == [2, 1])
        #expect(theirs == [4, 3])
        let text = try await harness.send("GET", Self.path, as: .key(harness.foreign.apiKey)).text
        #expect(!text.contains(harness.home.organization.id.text) && !text.contains(harness.home.keyRecord.actor.id))
        #expect(text.contains(Hex.encode(harness.store.contents.audit[1].hash)))
    }

    @Test func `each filter narrows the list, and they add up`() async throws {
        let harness = try await APIHarness()
        let app = try await harness.createApp(scopes: [.writeTunnels, .readAudit])
        harness.clock.advance(by: .seconds(10))
        let start = harness.clock.now.iso8601
        let id = try await harness.createTunnel("my-agent").id
        for text in ["a", "b"] {
            _ = try await harness.send("PATCH", "/api/v1/tunnels/\(id)", #"{"description":"\#(text)"}"#, as: app.credential)
        }
        harness.clock.advance(by: .seconds(10))
        let end = harness.clock.now.iso8601
        _ = try await harness.send("DELETE", "/api/v1/tunnels/\(id)")

        let expected: [(String, [Int])] = [
            ("", [9, 8, 7, 6, 5, 2, 1]), ("action=tunnel.update", [8, 7]), ("actor=\(app.id)", [8, 7]),
            ("resource=\(id)", [9, 8, 7, 6]), ("resource=\(id)&action=tunnel.create", [6]),
            ("actor=\(app.id)&action=tunnel.create", []), ("since=\(start)", [9, 8, 7, 6]), ("until=\(start)", [5, 2, 1]),
            ("since=\(start)&until=\(end)", [8, 7, 6]), ("actor=nobody", []), ("action=app.create&limit=1", [5]),
            ("since=\(start.replacing("Z", with: "+00:00"))", [9, 8, 7, 6]),
            ("since=\(start.replacing("Z", with: "%2B00:00"))", [9, 8, 7, 6]),
        ]
        for (query, sequences) in expected {
            let reply = try await harness.send("GET", "\(Self.path)?\(query)", as: app.credential)
            #expect(reply.status == 200, "\(query): \(reply.text)")
            #expect(reply.sequences == sequences, "\(query)")
        }
    }

    @Test func `pages follow each other without gap or repetition, while new events come`() async throws {
        let harness = try await APIHarness()
        let id = try await harness.createTunnel("my-agent").id
        func update() async throws {
            _ = try await harness.send("PATCH", "/api/v1/tunnels/\(id)", #"{"description":"\#(harness.clock.now.iso8601)"}"#)
            harness.clock.advance(by: .seconds(1))
        }
        for _ in 0..<8 { try await update() }
        let all = try await harness.send("GET", Self.path).sequences
        var paged: [Int] = []
        var cursor: String?
        repeat {
            let reply = try await harness.send("GET", "\(Self.path)?limit=2" + (cursor.map { "&cursor=\($0)" } ?? ""))
            paged += reply.sequences
            cursor = reply.json["next_cursor"]?.stringValue
            try await update()
        } while cursor != nil
        #expect(paged == all)
        #expect(all.count == 11)
    }

    @Test func `without a limit there are a hundred events and then a cursor`() async throws {
        let harness = try await APIHarness()
        let id = try await harness.createTunnel("my-agent").id
        for number in 0..<100 {
            _ = try await harness.send("PATCH", "/api/v1/tunnels/\(id)", #"{"description":"\#(number)"}"#)
        }
        let reply = try await harness.send("GET", Self.path)
        #expect(reply.sequences.count == 100)
        let cursor = try #require(reply.json["next_cursor"]?.stringValue)
        let rest = try await harness.send("GET", "\(Self.path)?cursor=\(cursor)")
        #expect(rest.sequences == [5, 2, 1])
        #expect(rest.json["next_cursor"] == nil)
    }

    @Test(arguments: [
        ("action=tunnel.crate", "?action"), ("action=", "?action"), ("since=yesterday", "?since"), ("since=", "?since"),
        ("until=2026-13-01T00:00:00Z", "?until"), ("limit=0", "?limit"), ("limit=201", "?limit"), ("limit=-1", "?limit"),
        ("limit=x", "?limit"), ("limit=99999999999999999999", "?limit"), ("cursor=x", "?cursor"), ("cursor=1~2~3", "?cursor"),
        ("cursor=~", "?cursor"), ("cursor=99999999999999999999~1", "?cursor"),
    ])
    func `a bad query is 422 and says where`(query: String, pointer: String) async throws {
        let reply = try await APIHarness().send("GET", "\(Self.path)?\(query)")
        #expect(reply.status == 422)
        #expect(reply.pointers == [pointer])
    }

    @Test func `it is for admin keys and apps with the scope`() async throws {
        let harness = try await APIHarness()
        let agent = try harness.arrangeIdentityTunnel("own-agent").key
        #expect(try await harness.send("GET", Self.path, as: .key(agent)).status == 403)
        for scope in Scope.allCases {
            let app = try await harness.createApp(scopes: [scope])
            let reply = try await harness.send("GET", Self.path, as: app.credential)
            #expect(reply.status == (scope == .readAudit ? 200 : 403), "\(scope)")
        }
        for method in ["POST", "PUT", "PATCH", "DELETE"] {
            #expect(try await harness.send(method, Self.path).status == 405)
        }
    }
}

extension Reply {
    fileprivate var sequences: [Int] {
        guard case .array(let events) = json["audit_events"] else { return [] }
        return events.compactMap { event in
            guard case .number(let text) = event["sequence"] else { return nil }
            return Int(text)
        }
    }
}
