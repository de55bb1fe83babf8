import TestSupport
import Testing
import TunnelAPI
import TunnelDomain
import TunnelService
import TunnelWire

/// Failed authentications on record.
struct AuthFailureTests {
    private static let tunnels = "/api/v1/tunnels"

    /// The lines about failures, once there are so many; they are written beside the answer.
    private func lines(_ count: Int, _ harness: APIHarness) async -> [AuditEntry] {
        func found() -> [AuditEntry] { harness.store.contents.audit.map(\.entry).filter { $0.action == .authFail } }
        while found().count < count, !Task.isCancelled { await Task.yield() }
        return found()
    }

    @Test(.timeLimit(.minutes(5))) func `a revoked and an expired key are on their organization's record`() async throws {
        let harness = try await APIHarness()
        let now = harness.clock.now
        harness.store.arrange {
            $0.apiKeys[0].revokedAt = now
            $0.apiKeys[1].expiresAt = now
        }
        #expect(try await harness.send("GET", Self.tunnels).status == 401)
        #expect(try await harness.send("GET", Self.tunnels, as: .key(harness.foreign.apiKey)).status == 401)
        let entries = await lines(2, harness).sorted { $0.detailsJSON < $1.detailsJSON }
        #expect(entries.map(\.organizationID) == [harness.foreign.organization.id, harness.home.organization.id])
        #expect(entries.map(\.resourceID) == [harness.foreign.keyRecord.actor.id, harness.home.keyRecord.actor.id])
        #expect(entries[0].detailsJSON.contains("expired") && entries[1].detailsJSON.contains("revoked"))
        #expect(entries.allSatisfy { $0.outcome == .refused && $0.ip == "192.0.2.7" && $0.resourceType == .apiKey })
    }

    @Test(.timeLimit(.minutes(5))) func `a wrong client secret is on record, and what nobody has is not`() async throws {
        let harness = try await APIHarness()
        let app = try await harness.createApp(scopes: [.readAudit])
        let unknown = "app_00000000000000000000000000000000"
        for credential in [Credential.none, .key("x"), .basic(unknown, app.secret), .basic("x", "y")] {
            #expect(try await harness.send("GET", Self.tunnels, as: credential).status == 401)
        }
        #expect(try await harness.send("GET", Self.tunnels, as: .basic(app.id, "guess")).status == 401)
        let entries = await lines(1, harness)
        #expect(entries.map(\.resourceID) == [app.id])
        #expect(!entries[0].detailsJSON.contains("guess"))
        let seen = try await harness.send("GET", "/api/v1/audit-events?action=auth.fail", as: app.credential)
        #expect(seen.text.contains(#""outcome":"refused""#))
    }
}
