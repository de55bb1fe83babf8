import TestSupport
import Testing
import TunnelAPI
import TunnelDomain
import TunnelService
import TunnelWire

struct TunnelListTests {
    private static let base = "/api/v1/tunnels"

    private func ids(_ reply: Reply) -> [String] {
        guard case .array(let tunnels) = reply.json["tunnels"] else { return [] }
        return tunnels.compactMap { $0["id"]?.stringValue }
    }

    /// Puts tunnels into the store, several of them created in the same microsecond; newest first by id within one.
    private func arrange(_ count: Int, in harness: APIHarness) throws -> [String] {
        var made: [Tunnel] = []
        for number in 0..<count {
            let tunnel = try Tunnel.create(
                id: TunnelID(randomBytes: harness.ports.randomness.bytes(16)), organizationID: harness.home.organization.id,
                name: TunnelName(validating: "agent-\(number)"), connectSecretHash: [1],
                at: harness.clock.now + .microseconds(number / 3))
            made.append(tunnel)
        }
        harness.store.arrange { tables in for tunnel in made { tables.tunnels[tunnel.id] = tunnel } }
        return made.sorted { ($0.createdAt, $0.id) > ($1.createdAt, $1.id) }.map(\.id.text)
    }

    @Test func `without parameters everything comes at once, newest first`() async throws {
        let harness = try await APIHarness()
        let expected = try arrange(450, in: harness)
        let reply = try await harness.send("GET", Self.base + "/")
        #expect(reply.status == 200)
        #expect(ids(reply) == expected)
        #expect(reply.json["next_cursor"] == nil)
    }

    @Test(arguments: [1, 2, 3, 7, 10, 11, 200])
    func `pages join into the whole list`(limit: Int) async throws {
        let harness = try await APIHarness()
        let expected = try arrange(10, in: harness)
        var found: [String] = []
        var path = "\(Self.base)?limit=\(limit)"
        for _ in 0..<expected.count {
            let reply = try await harness.send("GET", path)
            #expect(reply.status == 200)
            #expect((1...limit).contains(ids(reply).count))
            found += ids(reply)
            guard let next = reply.json["next_cursor"]?.stringValue else { break }
            path = "\(Self.base)?limit=\(limit)&cursor=\(next)"
        }
        #expect(found == expected)
    }

    @Test func `a cursor alone gives pages of a hundred`() async throws {
        let harness = try await APIHarness()
        let expected = try arrange(150, in: harness)
        let first = try await harness.send("GET", Self.base + "?limit=10")
        let next = try #require(first.json["next_cursor"]?.stringValue)
        let second = try await harness.send("GET", "\(Self.base)?cursor=\(next)")
        #expect(ids(second) == Array(expected[10..<110]))
        #expect(second.json["next_cursor"] != nil)
    }

    @Test func `pages skip tunnels that time has deleted, and never come out empty before the end`() async throws {
        let harness = try await APIHarness()
        let all = try arrange(12, in: harness)
        for id in all[1..<9] { _ = try await harness.send("DELETE", "\(Self.base)/\(id)") }
        #expect(ids(try await harness.send("GET", Self.base)) == all, "a pending tunnel is listed")
        harness.clock.advance(by: .hours(24))
        let first = try await harness.send("GET", Self.base + "?limit=2")
        #expect(ids(first) == [all[0], all[9]])
        let next = try #require(first.json["next_cursor"]?.stringValue)
        let second = try await harness.send("GET", "\(Self.base)?limit=2&cursor=\(next)")
        #expect(ids(second) == [all[10], all[11]])
        #expect(second.json["next_cursor"] == nil)
    }

    @Test func `a tunnel made or deleted meanwhile neither repeats nor hides others`() async throws {
        let harness = try await APIHarness()
        let expected = try arrange(6, in: harness)
        let first = try await harness.send("GET", Self.base + "?limit=3")
        harness.clock.advance(by: .seconds(1))
        _ = try await harness.createTunnel("newer")
        _ = try await harness.send("DELETE", "\(Self.base)/\(expected[2])")
        _ = try await harness.send("DELETE", "\(Self.base)/\(expected[2])/force")
        let next = try #require(first.json["next_cursor"]?.stringValue)
        let second = try await harness.send("GET", "\(Self.base)?limit=3&cursor=\(next)")
        #expect(ids(second) == Array(expected[3...]))
    }

    @Test(arguments: [
        ("limit=0", "?limit"), ("limit=201", "?limit"), ("limit=-1", "?limit"), ("limit=", "?limit"), ("limit=1x", "?limit"),
        ("limit=+1", "?limit"), ("limit=99999999999999999999", "?limit"), ("cursor=", "?cursor"), ("cursor=x", "?cursor"),
        ("cursor=1~2~3", "?cursor"), ("cursor=1~x", "?cursor"), ("limit=%31%30%30%30", "?limit"),
    ])
    func `a parameter out of range is 422 and named`(query: String, pointer: String) async throws {
        let reply = try await APIHarness().send("GET", "\(Self.base)?\(query)")
        #expect(reply.status == 422)
        #expect(reply.pointers == [pointer])
    }

    @Test(arguments: ["limit=1", "limit=200", "limit=%31", "limit=5&unknown=%zz", "unknown=1"])
    func `parameters within range and unknown ones are taken`(query: String) async throws {
        #expect(try await APIHarness().send("GET", "\(Self.base)?\(query)").status == 200)
    }
}
