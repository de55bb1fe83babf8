import TestSupport
import Testing
import TunnelDomain

struct TunnelTests {
    static let start = Timestamp(secondsSinceEpoch: 1_776_774_600)

    static func tunnel(_ mode: TLSMode = .edge, identity: Bool = false) throws -> Tunnel {
        try Tunnel.create(
            id: TunnelID(UUIDValue(high: 1, low: 2)), organizationID: try #require(OrganizationID("org_1")),
            identityID: identity ? IdentityID(UUIDValue(high: 3, low: 4)) : nil, name: try TunnelName(validating: "my-agent"),
            tlsMode: mode, connectSecretHash: identity ? nil : [1, 2, 3], at: start)
    }

    @Test func `an edge tunnel is active at once, a passthrough tunnel waits for its certificate`() throws {
        #expect(try Self.tunnel(.edge).status(at: Self.start) == .active)
        #expect(try Self.tunnel(.passthrough).status(at: Self.start) == .awaitingCert)
    }

    @Test func `the grace window is a day, and its last microsecond counts`() throws {
        var tunnel = try Self.tunnel()
        let deadline = Self.start + .seconds(86_400)
        #expect(try tunnel.delete(at: Self.start) == .pending(restoreDeadline: deadline))
        #expect(try tunnel.delete(at: Self.start + .seconds(60)) == .alreadyPending(restoreDeadline: deadline))
        let lastMoment = deadline - .microseconds(1)
        #expect(tunnel.status(at: lastMoment) == .deletePending)
        #expect(tunnel.restoreDeadline(at: lastMoment) == deadline)
        #expect(tunnel.status(at: deadline) == .deleted)
        #expect(tunnel.restoreDeadline(at: deadline) == nil)
        #expect(!tunnel.holdsName(at: deadline))
        #expect(throws: TunnelNotPendingError.self) { try tunnel.restore(at: deadline) }
        #expect(try tunnel.restore(at: lastMoment) == .active)
        #expect(tunnel.status(at: deadline) == .active)
    }

    @Test func `a restored passthrough tunnel is active while its certificate is valid`() throws {
        var tunnel = try Self.tunnel(.passthrough)
        let certificate = TunnelCertificate.ofDays(1, from: Self.start - .hours(6))
        #expect(try tunnel.certificateSigned(certificate, at: Self.start) == .activated)
        _ = try tunnel.delete(at: Self.start)
        var sooner = tunnel
        #expect(try sooner.restore(at: certificate.validity.notAfter) == .active)
        #expect(try tunnel.restore(at: certificate.validity.notAfter + .microseconds(1)) == .awaitingCert)
        #expect(tunnel.certificate == certificate, "an expired certificate stays on file")
    }

    @Test func `a certificate that has ended activates nothing`() throws {
        var tunnel = try Self.tunnel(.passthrough)
        let ended = TunnelCertificate.ofDays(1, from: Self.start - .days(2))
        #expect(throws: TunnelSigningError.expiredCertificate(notAfter: ended.validity.notAfter)) {
            try tunnel.certificateSigned(ended, at: Self.start)
        }
        #expect(tunnel.status(at: Self.start) == .awaitingCert)
    }

    @Test func `an active tunnel serves on when its certificate has expired`() throws {
        var tunnel = try Self.tunnel(.passthrough)
        _ = try tunnel.certificateSigned(.ofDays(6, from: Self.start), at: Self.start)
        #expect(tunnel.canServe(at: Self.start + .days(7)))
    }

    @Test(arguments: [
        (TLSMode.edge, false, true), (.passthrough, false, true), (.edge, true, false), (.passthrough, true, false),
    ])
    func `hello is allowed to active tunnels and to those that wait for a certificate`(
        mode: TLSMode, isDeleted: Bool, isAllowed: Bool
    ) throws {
        var tunnel = try Self.tunnel(mode)
        if isDeleted { _ = try tunnel.delete(at: Self.start) }
        #expect(tunnel.helloAllowed(at: Self.start) == isAllowed)
        #expect(tunnel.canServe(at: Self.start) == (isAllowed && mode == .edge))
    }

    @Test func `only the current connect secret is accepted, and an identity's tunnel has none`() throws {
        var tunnel = try Self.tunnel()
        #expect(tunnel.acceptsConnectSecret(hash: [1, 2, 3]))
        try tunnel.rotateConnectSecret(to: [4, 5, 6], at: Self.start)
        #expect(!tunnel.acceptsConnectSecret(hash: [1, 2, 3]))
        #expect(tunnel.acceptsConnectSecret(hash: [4, 5, 6]))
        var owned = try Self.tunnel(identity: true)
        #expect(!owned.acceptsConnectSecret(hash: []))
        #expect(throws: TunnelRotateError.belongsToIdentity) { try owned.rotateConnectSecret(to: [1], at: Self.start) }
    }

    @Test func `an absent field stays and null clears`() throws {
        var tunnel = try Self.tunnel()
        #expect(try tunnel.update(description: .set("first"), metadataJSON: .set(#"{"a":1}"#), at: Self.start) == .changed)
        #expect(try tunnel.update(at: Self.start) == .unchanged)
        #expect(try tunnel.update(description: .clear, at: Self.start + .seconds(1)) == .changed)
        #expect((tunnel.description, tunnel.metadataJSON) == (nil, #"{"a":1}"#))
        #expect(try tunnel.update(metadataJSON: .clear, at: Self.start + .seconds(2)) == .changed)
        #expect(tunnel.metadataJSON == "{}")
        #expect(tunnel.updatedAt == Self.start + .seconds(2))
        #expect(try tunnel.update(metadataJSON: .clear, at: Self.start + .seconds(3)) == .unchanged)
        #expect(tunnel.updatedAt == Self.start + .seconds(2))
    }

    @Test func `description and metadata are bounded, and a refused update changes nothing`() throws {
        var tunnel = try Self.tunnel()
        _ = try tunnel.update(description: .set(String(repeating: "é", count: 1000)), at: Self.start)
        _ = try tunnel.update(metadataJSON: .set(String(repeating: "x", count: 4096)), at: Self.start)
        let before = tunnel
        #expect(throws: TunnelUpdateError.field(.descriptionTooLong(scalarCount: 1001))) {
            try tunnel.update(description: .set(String(repeating: "é", count: 1001)), at: Self.start)
        }
        #expect(throws: TunnelUpdateError.field(.metadataTooLong(byteCount: 4097))) {
            try tunnel.update(description: .clear, metadataJSON: .set(String(repeating: "x", count: 4097)), at: Self.start)
        }
        #expect(tunnel == before)
    }

    @Test func `a clock set back does not make a record look older than its last change`() throws {
        var tunnel = try Self.tunnel()
        _ = try tunnel.update(description: .set("first"), at: Self.start + .hours(1))
        _ = try tunnel.update(description: .set("second"), at: Self.start - .hours(1))
        #expect(tunnel.updatedAt == Self.start + .hours(1))
    }

    @Test func `what agents do is remembered and is no change of the record`() throws {
        var tunnel = try Self.tunnel()
        tunnel.agentConnected(from: "192.0.2.7", at: Self.start + .seconds(1))
        tunnel.agentDisconnected(at: Self.start + .seconds(2))
        #expect(tunnel.lastConnectedAt == Self.start + .seconds(1))
        #expect(tunnel.lastConnectedAddress == "192.0.2.7")
        #expect(tunnel.lastDisconnectedAt == Self.start + .seconds(2))
        #expect(tunnel.updatedAt == Self.start)
    }

    @Test(arguments: [
        ("active", false, true), ("active", true, false), ("delete_pending", true, true), ("delete_pending", false, false),
        ("deleted", false, true), ("awaiting_cert", false, true), ("Active", false, false), ("", false, false),
    ])
    func `a stored state is a known word, with a deadline exactly when it is pending`(
        text: String, hasDeadline: Bool, isState: Bool
    ) {
        #expect((Tunnel.StoredState(text: text, restoreDeadline: hasDeadline ? Self.start : nil) != nil) == isState)
    }
}
