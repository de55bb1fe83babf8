import TestSupport
import Testing
import TunnelAPI
import TunnelDomain
import TunnelService
import TunnelWire

/// Secrets are shown once and kept as hashes.
struct SecrecyTests {
    private static let base = "/api/v1/tunnels"

    /// Whether the bytes of the text stand anywhere in the bytes.
    private func holds(_ text: String, in bytes: [UInt8]) -> Bool {
        let needle = Array(text.utf8)
        guard bytes.count >= needle.count else { return false }
        return (0...bytes.count - needle.count).contains { bytes[$0...].starts(with: needle) }
    }

    /// Every byte string and text that is stored.
    private func stored(_ tables: MemoryTables) -> [[UInt8]] {
        let blobs =
            tables.tunnels.values.compactMap(\.connectSecretHash) + tables.apps.values.map(\.secretHash)
            + tables.apiKeys.map(\.hash)
            + tables.replays.flatMap { [$0.sealedBody, $0.fingerprint] }
            + tables.audit.flatMap { [$0.entry.canonicalBytes, $0.hash, $0.previousHash] }
        return blobs + [Array(String(reflecting: tables).utf8)]
    }

    @Test func `no secret lies in any stored row`() async throws {
        let harness = try await APIHarness()
        let key = [("idempotency-key", "k")]
        let created = try await harness.send("POST", Self.base, #"{"tunnel_name":"my-agent"}"#, fields: key)
        let id = try #require(created.json["tunnel"]?["id"]?.stringValue)
        let rotated = try await harness.send("POST", "\(Self.base)/\(id)/rotate-secret", fields: [("idempotency-key", "r")])
        let app = try await harness.createApp(scopes: [.readTunnels])
        let path = "/api/v1/apps/\(app.id)/rotate-client-secret"
        let newSecret = try await harness.send("POST", path, fields: [("idempotency-key", "c")])
        let secrets = [
            app.secret, try #require(newSecret.json["clientSecret"]?.stringValue),
            try #require(created.json["connect_secret"]?.stringValue),
            try #require(rotated.json["connect_secret"]?.stringValue), harness.home.apiKey, harness.foreign.apiKey,
        ]
        let rows = stored(harness.store.contents)
        #expect(harness.store.contents.replays.count == 3)
        for secret in secrets {
            let body = String(secret.split(separator: "_").last ?? "")
            #expect(body.utf8.count >= 32)
            for row in rows { #expect(!holds(body, in: row)) }
        }
        // The search itself works: what is meant to be stored is found.
        #expect(rows.contains { holds("my-agent", in: $0) })
    }

    @Test func `no answer but the first shows a secret`() async throws {
        let harness = try await APIHarness()
        let (id, secret) = try await harness.createTunnel("my-agent")
        for (method, path, body) in ConventionsTests.calls where !path.hasSuffix("rotate-secret") {
            let reply = try await harness.send(method, path.replacing("ID", with: id), body)
            #expect(!reply.text.contains(secret) && !reply.text.contains(harness.home.apiKey))
        }
    }

    @Test func `a refused credential is not repeated in the refusal`() async throws {
        let harness = try await APIHarness()
        for wrong in ["ApiKey_wrong-one", "tnl_0123456789abcdef0123456789abcdef"] {
            let reply = try await harness.send("GET", Self.base, as: .key(wrong))
            #expect(!reply.text.contains(wrong))
            #expect(reply.fields.pairs.allSatisfy { !$0.value.contains(wrong) })
        }
    }
}
