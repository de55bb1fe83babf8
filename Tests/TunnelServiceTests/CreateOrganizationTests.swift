import TestSupport
import Testing
import TunnelDomain
import TunnelService

struct CreateOrganizationTests {
    @Test func `another admin key is made for an organization that is there, and audited`() async throws {
        let harness = try await ServiceHarness()
        let mint = MintAdminKey(ports: harness.ports)
        let made = try #require(try await mint(for: harness.home.organization.id))
        #expect(made.record.principal.kind == .adminKey)
        #expect(try await AuthenticateAPIKey(ports: harness.ports)(made.apiKey)?.id == made.record.id)
        #expect(try await AuthenticateAPIKey(ports: harness.ports)(harness.home.apiKey) != nil)
        let entry = try #require(harness.store.contents.audit.last?.entry)
        #expect((entry.action, entry.actor, entry.resourceID) == (.keyCreate, .system, made.record.idText))
        let before = harness.store.contents.apiKeys
        #expect(try await mint(for: OrganizationID(randomBytes: [7])) == nil)
        #expect(harness.store.contents.apiKeys == before)
    }

    @Test func `an organization comes with an admin key that is stored as a hash`() async throws {
        let harness = try await ServiceHarness()
        let created = harness.home
        #expect(try SecretFormat.kind(of: created.apiKey) == .apiKey)
        #expect(created.keyRecord.principal == Principal(organizationID: created.organization.id, kind: .adminKey))
        #expect(created.keyRecord.hash == harness.ports.hasher.hash(ofSecret: created.apiKey))
        #expect(created.apiKey.hasPrefix(created.keyRecord.displayPrefix) && created.apiKey.hasSuffix(created.keyRecord.last4))
        #expect(created.apiKey.utf8.count > 40)
        #expect(harness.foreign.organization.id != created.organization.id)
        #expect(!String(reflecting: harness.store.contents).contains(created.apiKey))
    }

    @Test func `the key authenticates its owner and nobody else's does`() async throws {
        let harness = try await ServiceHarness()
        let authenticate = AuthenticateAPIKey(ports: harness.ports)
        #expect(try await authenticate(harness.home.apiKey)?.organizationID == harness.home.organization.id)
        #expect(try await authenticate(harness.foreign.apiKey)?.organizationID == harness.foreign.organization.id)
        #expect(try await authenticate(harness.home.apiKey + "x") == nil)
        #expect(try await authenticate("") == nil)
    }
}
