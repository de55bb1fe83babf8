import HTTPTransport
import LinuxIO
import TestSupport
import Testing
import TunnelDomain
import TunnelEdge
import TunnelService
import TunnelWire

/// What narrowed and rotated keys mean for agents.
@Suite(.timeLimit(.minutes(5)))
struct NarrowedKeyAgentTests {
    @Test func `a key for one tunnel's agent connects that one, with or without an identity`() async throws {
        try await EdgeFixture.run { edge in
            let own = try await edge.createIdentity("own-agent")
            let alone = try await edge.createTunnel("alone")
            let key = try await edge.narrowedKey(nil, ["tunnel:own-agent:connect", "tunnel:alone:connect"])
            let other = try await edge.createTunnel("other")
            for tunnel in [own.tunnel, alone] {
                var agent = try await edge.connect(tunnel)
                #expect(try await agent.hello(with: [("x-tunnel-id", tunnel.id), ("x-api-key", key)]).status == 200)
            }
            var stranger = try await edge.connect(other)
            let refused = try await stranger.hello(with: [("x-tunnel-id", other.id), ("x-api-key", key)])
            #expect(refused.status == 401, "like for a tunnel that there is not")
        }
    }

    @Test func `a key whose scopes connect nothing hears which is missing, whatever the tunnel`() async throws {
        try await EdgeFixture.run { edge in
            let own = try await edge.createIdentity("own-agent")
            let key = try await edge.narrowedKey(own.identityID, ["tunnels:read", "tunnels:write"])
            for id in [own.tunnel.id, "00000000-0000-4000-8000-000000000000"] {
                var agent = try await edge.connect(own.tunnel)
                let answer = try await agent.hello(with: [("x-tunnel-id", id), ("x-api-key", key)])
                #expect(answer.status == 403)
                #expect(answer.text.contains("agents:connect") && answer.text.contains("insufficient-scope"))
            }
            #expect(!edge.directory.isConnected(own.tunnel.tunnel.id))
        }
    }

    @Test func `an agent elsewhere than its key may be used is refused`() async throws {
        try await EdgeFixture.run { edge in
            let own = try await edge.createIdentity("own-agent")
            let near = try await edge.narrowedKey(own.identityID, nil, ["127.0.0.0/8"])
            let far = try await edge.narrowedKey(own.identityID, nil, ["192.0.2.0/24"])
            var stranger = try await edge.connect(own.tunnel)
            let refused = try await stranger.hello(with: [("x-tunnel-id", own.tunnel.id), ("x-api-key", far)])
            #expect(refused.status == 403 && refused.text.contains("address-not-allowed"))
            #expect(refused.text.contains("127.0.0.1") && !refused.text.contains("192.0.2"))
            var agent = try await edge.connect(own.tunnel)
            #expect(try await agent.hello(with: [("x-tunnel-id", own.tunnel.id), ("x-api-key", near)]).status == 200)
        }
    }

    @Test func `a rotated key's agent stays for the overlap, and goes when it ends`() async throws {
        try await EdgeFixture.run { edge in
            let own = try await edge.createIdentity("own-agent")
            var agent = try await edge.connect(own)
            _ = try await agent.hello()
            _ = try await edge.rotate(own.key.record.id, overlapHours: 1)
            #expect(!agent.client.isClosed)
            edge.clock.advance(by: .hours(1))
            try await SweepExpired(ports: edge.ports, rules: edge.rules)()
            #expect(await agent.client.goodbye() == .goingAway(errorCode: 0, debugData: #"{"reason":"key-revoked"}"#))
            await agent.client.closing()
        }
    }

    @Test func `a key that is rotated at once ends its agent, and the new one connects`() async throws {
        try await EdgeFixture.run { edge in
            let own = try await edge.createIdentity("own-agent")
            var agent = try await edge.connect(own)
            _ = try await agent.hello()
            let new = try await edge.rotate(own.key.record.id, overlapHours: 0)
            #expect(await agent.client.goodbye() == .goingAway(errorCode: 0, debugData: #"{"reason":"key-revoked"}"#))
            await agent.client.closing()
            var again = try await edge.connect(own)
            #expect(try await again.hello().status == 401)
            var successor = try await edge.connect(own.tunnel)
            #expect(try await successor.hello(with: [("x-tunnel-id", own.tunnel.id), ("x-api-key", new)]).status == 200)
        }
    }
}

extension EdgeFixture {
    func narrowedKey(_ identityID: IdentityID?, _ scopes: [String]?, _ ranges: [String]? = nil) async throws -> String {
        let request = MintAPIKey.Request(
            label: "narrow", identityID: identityID, scopes: try scopes?.map { try KeyScopeName(validating: $0) },
            ranges: try ranges?.map { try AddressRange(validating: $0) })
        return try await ports.commit { try MintAPIKey(ports: ports).decide(request, by: admin, in: $0, at: $1) }.apiKey
    }

    func rotate(_ id: UUIDValue, overlapHours: Int) async throws -> String {
        let overlap = try #require(KeyOverlap(hours: overlapHours))
        return try await ports.commit { store, now in
            try RotateAPIKey(ports: ports, rules: rules).decide(id, overlap: overlap, by: admin, in: store, at: now)
        }.new.apiKey
    }
}
