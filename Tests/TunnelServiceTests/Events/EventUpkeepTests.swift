import TestSupport
import Testing
import TunnelDomain
import TunnelService

struct EventUpkeepTests {
    private func sequences(_ harness: ServiceHarness) -> [Int64] { harness.store.contents.events.map(\.sequence) }

    private func arrange(_ count: Int, _ harness: ServiceHarness) {
        let (now, home) = (harness.clock.now, harness.home.organization.id)
        harness.store.arrange { tables in
            for _ in 0..<count {
                tables.lastEventSequence += 1
                tables.events.append(
                    EventRecord(
                        sequence: tables.lastEventSequence, id: UUIDValue(high: 1, low: UInt64(tables.lastEventSequence)),
                        occurredAt: now, type: .tunnelCreated, organizationID: home, identityID: nil, tunnelID: nil,
                        dataJSON: "{}"))
            }
        }
    }

    @Test(arguments: [0, 1, 2, 2_500])
    func `the newest events stay, as many as may be kept`(surplus: Int) async throws {
        let harness = try await ServiceHarness()
        var limits = EventLimits()
        limits.keptCountMax = 5
        arrange(5 + surplus, harness)
        let newest = Array(sequences(harness).suffix(5))
        #expect(try await ForgetEvents(ports: harness.ports, limits: limits)() == surplus)
        #expect(sequences(harness) == newest)
        let extent = try await harness.ports.look { store, _ in try store.eventLogExtent(of: harness.home.organization.id) }
        #expect(extent.forgottenUpTo == (surplus == 0 ? 0 : newest[0] - 1))
    }

    @Test func `an event is forgotten when it is as old as may be, and not a moment before`() async throws {
        let harness = try await ServiceHarness()
        let forget = ForgetEvents(ports: harness.ports, limits: EventLimits())
        arrange(1, harness)
        harness.clock.advance(by: .days(7) - .microseconds(1))
        arrange(1, harness)
        #expect(try await forget() == 0)
        harness.clock.advance(by: .microseconds(1))
        #expect(try await forget() == 1)
        #expect(sequences(harness) == [2])
    }

    @Test func `each organization has its own bounds`() async throws {
        let harness = try await ServiceHarness()
        var limits = EventLimits()
        limits.keptCountMax = 1
        arrange(2, harness)
        try await harness.ports.commit { _, _ in
            Change((), events: [EventDraft(.keyCreated, organizationID: harness.foreign.organization.id, data: [])])
        }
        #expect(try await ForgetEvents(ports: harness.ports, limits: limits)() == 1)
        #expect(
            harness.store.contents.events.map(\.organizationID) == [
                harness.home.organization.id, harness.foreign.organization.id,
            ])
    }

    // MARK: Certificates

    private func arrangeSigned(_ name: String, _ harness: ServiceHarness, days: Int64 = 90) async throws -> Tunnel {
        let tunnel = try await harness.create(name, tlsMode: .passthrough).snapshot.tunnel
        return try await sign(tunnel.id, harness, days: days)
    }

    @discardableResult
    private func sign(_ id: TunnelID, _ harness: ServiceHarness, days: Int64 = 90) async throws -> Tunnel {
        let certificate = TunnelCertificate(
            pem: "leaf\n", chainPEM: "", fingerprintSHA256: "fp-\(harness.clock.now.secondsSinceEpoch)",
            validity: CertificateValidity(notBefore: harness.clock.now, notAfter: harness.clock.now + .days(days)))
        _ = try await harness.ports.commit {
            try SignCSR(ports: harness.ports, rules: harness.rules).decide(id, certificate, by: harness.admin, in: $0, at: $1)
        }
        return try #require(harness.store.contents.tunnels[id])
    }

    private func told(_ harness: ServiceHarness) -> [EventRecord] {
        harness.store.contents.events.filter { $0.type == .certExpiring }
    }

    @Test func `a certificate is told of when its renewal is due, once`() async throws {
        let harness = try await ServiceHarness()
        let announce = AnnounceExpiry(ports: harness.ports)
        let tunnel = try await arrangeSigned("my-agent", harness)
        harness.clock.advance(by: .days(60) - .microseconds(1))
        #expect(try await announce() == 0)
        harness.clock.advance(by: .microseconds(1))
        #expect(try await announce() == 1)
        #expect(try await announce() == 0)
        #expect(told(harness).map(\.tunnelID) == [tunnel.id])
        #expect(told(harness)[0].dataJSON.contains(try #require(tunnel.certificate).fingerprintSHA256))
    }

    @Test func `a renewed certificate is told of in its own time`() async throws {
        let harness = try await ServiceHarness()
        let announce = AnnounceExpiry(ports: harness.ports)
        let tunnel = try await arrangeSigned("my-agent", harness)
        harness.clock.advance(by: .days(59))
        try await sign(tunnel.id, harness)
        harness.clock.advance(by: .days(59))
        #expect(try await announce() == 0)
        harness.clock.advance(by: .days(1))
        #expect(try await announce() == 1)
    }

    @Test func `a tunnel that is being deleted is told of only if it comes back`() async throws {
        let harness = try await ServiceHarness()
        let announce = AnnounceExpiry(ports: harness.ports)
        let (kept, gone) = (try await arrangeSigned("kept", harness), try await arrangeSigned("gone", harness))
        harness.clock.advance(by: .days(60))
        for tunnel in [kept, gone] { try await harness.delete(tunnel.id) }
        _ = try await announce()
        #expect(told(harness).isEmpty)
        try await harness.restore(kept.id)
        harness.clock.advance(by: .days(1))
        _ = try await announce()
        #expect(told(harness).map(\.tunnelID) == [kept.id])
        #expect(harness.store.contents.expiryWatches.isEmpty)
    }

    @Test func `more than fit into one transaction are all told of`() async throws {
        let harness = try await ServiceHarness()
        let count = 2 * AnnounceExpiry.batchCountMax + 1
        let signed = try await arrangeSigned("my-agent", harness)
        harness.store.arrange { tables in
            for number in 0..<count {
                tables.expiryWatches[TunnelID(UUIDValue(high: 9, low: UInt64(number)))] = harness.clock.now
            }
        }
        harness.clock.advance(by: .days(60))
        #expect(try await AnnounceExpiry(ports: harness.ports)() == 1)
        #expect(told(harness).map(\.tunnelID) == [signed.id])
        #expect(harness.store.contents.expiryWatches.isEmpty)
    }
}
