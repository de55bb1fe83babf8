import TestSupport
import TunnelDomain
import TunnelService

/// The use cases over memory ports, with two organizations.
struct ServiceHarness: Sendable {
    let store = MemoryStore()
    let clock = ManualClock()
    let events = MemoryEvents()
    let presence = MemoryPresence()
    let ports: ServicePorts
    let rules: ServiceRules
    let home: CreateOrganization.Created
    let foreign: CreateOrganization.Created

    init(events other: (any TunnelEvents)? = nil) async throws {
        ports = ServicePorts(
            store: store, clock: clock, randomness: MemoryRandomness(), hasher: MemoryHasher(), sealer: MemorySealer(),
            issuer: nil, events: other ?? events, presence: presence)
        rules = ServiceRules(zone: try Zone(validating: "localhost"))
        home = try await CreateOrganization(ports: ports)()
        foreign = try await CreateOrganization(ports: ports)()
    }

    /// The home organization's administrator, calling.
    var admin: CallContext {
        CallContext(
            principal: home.keyRecord.principal, actor: home.keyRecord.actor, ip: "192.0.2.7", requestID: "req-1")
    }

    func create(_ name: String, tlsMode: TLSMode = .edge) async throws -> CreateTunnel.Created {
        let request = CreateTunnel.Request(name: try TunnelName(validating: name), tlsMode: tlsMode)
        return try await ports.commit { store, now in
            try CreateTunnel(ports: ports, rules: rules).decide(request, by: admin, in: store, at: now)
        }
    }

    func delete(_ id: TunnelID) async throws {
        _ = try await ports.commit { try DeleteTunnel(ports: ports).decide(id, by: admin, in: $0, at: $1) }
    }

    func restore(_ id: TunnelID) async throws {
        _ = try await ports.commit { try RestoreTunnel(ports: ports).decide(id, by: admin, in: $0, at: $1) }
    }

    func forceDelete(_ id: TunnelID) async throws {
        _ = try await ports.commit { try ForceDeleteTunnel(ports: ports).decide(id, by: admin, in: $0, at: $1) }
    }

    func rotate(_ id: TunnelID) async throws -> String {
        try await ports.commit {
            try RotateConnectSecret(ports: ports, rules: rules).decide(id, by: admin, in: $0, at: $1)
        }.connectSecret
    }

    /// What a verification of the audit trail finds.
    var auditFindings: [AuditFinding] {
        var verification = AuditVerification(hasher: ports.hasher)
        for line in store.contents.audit { verification.take(AuditLine(line)) }
        verification.finish(sealedHead: store.contents.auditHead, sealer: ports.sealer)
        return verification.findings
    }

    /// Puts a key into the store: of the home organization, for one identity.
    func arrangeIdentityKey(_ identityID: IdentityID) -> String {
        let key = SecretFormat.apiKey(randomBytes: ports.randomness.bytes(32))
        let record = APIKeyRecord(
            id: UUIDValue(randomBytes: ports.randomness.bytes(16)), organizationID: home.organization.id,
            scopedIdentityID: identityID, label: "agent", hash: ports.hasher.hash(ofSecret: key), displayPrefix: "",
            last4: "", createdBy: "test", createdAt: clock.now, updatedAt: clock.now)
        store.arrange { $0.apiKeys.append(record) }
        return key
    }

    func arrangeIdentityTunnel(_ name: String, of identityID: IdentityID) throws -> Tunnel {
        let tunnel = try Tunnel.create(
            id: TunnelID(randomBytes: ports.randomness.bytes(16)), organizationID: home.organization.id,
            identityID: identityID, name: TunnelName(validating: name), connectSecretHash: nil, at: clock.now)
        store.arrange { $0.tunnels[tunnel.id] = tunnel }
        return tunnel
    }
}
