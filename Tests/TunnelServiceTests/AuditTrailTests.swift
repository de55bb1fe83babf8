import TestSupport
import Testing
import TunnelDomain
import TunnelService

struct AuditTrailTests {
    @Test func `every change writes one entry with who, what, when and from where`() async throws {
        let harness = try await ServiceHarness()
        let id = try await harness.create("my-agent").snapshot.tunnel.id
        _ = try await harness.rotate(id)
        try await harness.delete(id)
        try await harness.restore(id)
        try await harness.delete(id)
        try await harness.delete(id)
        try await harness.forceDelete(id)
        let entries = harness.store.contents.audit.map(\.entry)
        #expect(
            entries.map(\.action) == [
                .organizationCreate, .keyCreate, .organizationCreate, .keyCreate, .tunnelCreate, .secretRotate, .tunnelDelete,
                .tunnelRestore, .tunnelDelete, .tunnelForceDelete,
            ])
        let created = entries[4]
        #expect(created.actor == harness.home.keyRecord.actor)
        #expect(created.organizationID == harness.home.organization.id)
        #expect((created.resourceType, created.resourceID) == (.tunnel, id.text))
        #expect((created.ip, created.requestID) == ("192.0.2.7", "req-1"))
        #expect(created.occurredAt == harness.clock.now)
        #expect(created.outcome == .success)
        #expect(Set(entries.map(\.id)).count == entries.count)
    }

    @Test func `each entry is bound to the one before it`() async throws {
        let harness = try await ServiceHarness()
        let id = try await harness.create("my-agent").snapshot.tunnel.id
        try await harness.delete(id)
        var previous = [UInt8](repeating: 0, count: 32)
        for row in harness.store.contents.audit {
            #expect(row.previousHash == previous)
            #expect(row.hash == harness.ports.hasher.sha256(previous + row.entry.canonicalBytes))
            previous = row.hash
        }
        #expect(harness.store.contents.audit.count == 6)
    }

    @Test func `the trail that the service writes verifies to its head`() async throws {
        let harness = try await ServiceHarness()
        let id = try await harness.create("my-agent").snapshot.tunnel.id
        try await harness.delete(id)
        #expect(harness.auditFindings == [])
        #expect(harness.store.contents.audit.map(\.sequence) == Array(1...6))
    }

    @Test func `what was cut off the end stays missing when the trail goes on`() async throws {
        let harness = try await ServiceHarness()
        let id = try await harness.create("my-agent").snapshot.tunnel.id
        harness.store.arrange { $0.audit.removeLast(2) }
        #expect(harness.auditFindings == [.cutOff(4...5)])
        try await harness.delete(id)
        #expect(harness.auditFindings == [.missing(4...5)])
        harness.store.arrange { $0.audit.removeAll() }
        try await harness.restore(id)
        #expect(harness.auditFindings == [.missing(1...6)])
    }

    @Test func `lines that somebody else added stay unconnected, and stop nothing`() async throws {
        let harness = try await ServiceHarness()
        let id = try await harness.create("my-agent").snapshot.tunnel.id
        harness.store.arrange { tables in
            guard let last = tables.audit.last else { return }
            let hash = harness.ports.hasher.sha256(last.hash + last.entry.canonicalBytes)
            tables.audit.append(
                ChainedAuditEntry(sequence: last.sequence + 1, entry: last.entry, previousHash: last.hash, hash: hash))
        }
        #expect(harness.auditFindings == [.added(6...6)])
        try await harness.delete(id)
        #expect(harness.auditFindings == [.unconnected(7)])
    }

    @Test func `a lost head is written down in the trail itself`() async throws {
        let harness = try await ServiceHarness()
        let id = try await harness.create("my-agent").snapshot.tunnel.id
        for head in [nil, [1, 2, 3]] as [[UInt8]?] {
            let count = harness.store.contents.audit.count
            harness.store.arrange { $0.auditHead = head }
            _ = try await harness.rotate(id)
            let added = harness.store.contents.audit[count...].map(\.entry)
            #expect(added.map(\.action) == [.auditBreak, .secretRotate])
            #expect(added.first?.actor == .system)
            #expect(harness.auditFindings == [])
        }
    }

    @Test func `an absent field is written differently from an empty one`() async throws {
        func entry(ip: String?, requestID: String?) -> AuditEntry {
            AuditEntry(
                id: UUIDValue(high: 0, low: 0), occurredAt: Timestamp(microsecondsSinceEpoch: 0), action: .tunnelCreate,
                organizationID: OrganizationID(randomBytes: [1]), actor: .system, resourceType: .tunnel, resourceID: "",
                ip: ip, requestID: requestID)
        }
        let variants = [entry(ip: nil, requestID: ""), entry(ip: "", requestID: nil), entry(ip: "", requestID: "")]
        #expect(Set(variants.map(\.canonicalBytes)).count == 3)
    }

    @Test func `a change that is rolled back leaves no entry`() async throws {
        let harness = try await ServiceHarness()
        let before = harness.store.contents.audit
        await #expect(throws: CancellationError.self) {
            try await harness.ports.commit { store, now -> Change<Void> in
                let request = CreateTunnel.Request(name: try TunnelName(validating: "my-agent"))
                _ = try CreateTunnel(ports: harness.ports, rules: harness.rules)
                    .decide(request, by: harness.admin, in: store, at: now)
                throw CancellationError()
            }
        }
        #expect(harness.store.contents.audit == before)
        #expect(harness.store.contents.tunnels.isEmpty)
        #expect(harness.events.changes.isEmpty)
    }
}
