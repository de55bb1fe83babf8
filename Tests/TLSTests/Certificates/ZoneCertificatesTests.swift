import TLS
import Testing
import TunnelDomain

@Suite struct ZoneCertificatesTests {
    static let now = Timestamp(secondsSinceEpoch: 1_795_219_200)

    static func certificates(zone: String, hostCountMax: Int = 4) throws -> ZoneCertificates {
        try ZoneCertificates(
            zone: zone, authority: CertificateAuthority.make(zone: zone, at: now), hostCountMax: hostCountMax)
    }

    @Test func `one certificate serves a whole zone`() throws {
        let zone = try Self.certificates(zone: "tunnels.example.com")
        let first = try zone.certificate(for: "one-a.tunnels.example.com", at: Self.now)
        #expect(first.hosts == ["tunnels.example.com", "*.tunnels.example.com"])
        #expect(try zone.certificate(for: "two-b.tunnels.example.com", at: Self.now) == first)
        #expect(try zone.certificate(for: "tunnels.example.com", at: Self.now) == first)
    }

    @Test func `each host under localhost has its own, and keeps it`() throws {
        let zone = try Self.certificates(zone: "localhost")
        let one = try zone.certificate(for: "one.localhost", at: Self.now)
        let two = try zone.certificate(for: "two.localhost", at: Self.now)
        #expect(one.hosts == ["one.localhost"])
        #expect(two.hosts == ["two.localhost"])
        #expect(try zone.certificate(for: "one.localhost", at: Self.now) == one)
        #expect(try zone.certificate(for: "localhost", at: Self.now).hosts == ["localhost"])
    }

    @Test(arguments: ["example.com", "localhost.example.com", "a.b.localhost", ".localhost", "xlocalhost", "", "LOCALHOST"])
    func `a host outside the zone has none`(host: String) throws {
        let zone = try Self.certificates(zone: "localhost")
        #expect(throws: ZoneCertificates.ForeignHost(host: host, zone: "localhost")) {
            try zone.certificate(for: host, at: Self.now)
        }
    }

    @Test func `a certificate is renewed at two thirds of its life, not before`() throws {
        let zone = try Self.certificates(zone: "tunnels.example.com")
        let first = try zone.certificate(for: "tunnels.example.com", at: Self.now)
        let lifetime = first.notAfter - first.notBefore
        let due = first.notBefore + lifetime * 2 / 3
        #expect(try zone.certificate(for: "tunnels.example.com", at: due - .seconds(1)) == first)
        let second = try zone.certificate(for: "tunnels.example.com", at: due)
        #expect(second != first)
        #expect(second.notAfter > first.notAfter)
        #expect(try zone.certificate(for: "tunnels.example.com", at: due) == second)
    }

    @Test func `the shelf holds no more than its limit and drops what was not used`() throws {
        let zone = try Self.certificates(zone: "localhost", hostCountMax: 4)
        let used = try zone.certificate(for: "used.localhost", at: Self.now)
        for number in 0..<20 {
            _ = try zone.certificate(for: "host-\(number).localhost", at: Self.now)
            #expect(try zone.certificate(for: "used.localhost", at: Self.now) == used)
            #expect(zone.keptCount <= 4)
        }
        #expect(zone.keptCount == 4)
    }

    @Test func `many threads asking at once agree in the end`() async throws {
        let zone = try Self.certificates(zone: "localhost", hostCountMax: 100)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for worker in 0..<8 {
                group.addTask {
                    for number in 0..<20 { _ = try zone.certificate(for: "h\((number + worker) % 20).localhost", at: Self.now) }
                }
            }
            try await group.waitForAll()
        }
        #expect(zone.keptCount == 20)
    }
}
