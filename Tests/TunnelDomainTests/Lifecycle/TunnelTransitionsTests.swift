import TestSupport
import Testing
import TunnelDomain

struct TunnelTransitionsTests {
    private static let start = Timestamp(secondsSinceEpoch: 1_776_774_600)

    /// The states that a tunnel can be in, each reached by the events that lead there.
    enum Situation: CaseIterable, Sendable {
        case waiting, active, pending, pendingPastDeadline, deleted

        var route: [(TunnelEvent, after: Duration)] {
            switch self {
            case .waiting: []
            case .active: [(.sign, .zero)]
            case .pending: [(.sign, .zero), (.delete, .zero)]
            case .pendingPastDeadline: [(.sign, .zero), (.delete, .zero)]
            case .deleted: [(.sign, .zero), (.finalize, .zero)]
            }
        }

        var now: Timestamp { self == .pendingPastDeadline ? start + .hours(24) : start + .hours(23) }
    }

    /// What comes of every event in every situation of a passthrough tunnel that stands alone.
    static func expected(_ situation: Situation, _ event: TunnelEvent) -> TunnelEvent.Outcome {
        switch (situation, event) {
        case (_, .connect), (_, .disconnect): .done
        case (.waiting, .delete), (.active, .delete): .done
        case (.pending, .delete): .nothing
        case (.waiting, .restore), (.active, .restore), (.waiting, .forceDelete), (.active, .forceDelete): .conflict
        case (.pending, .restore), (.pending, .forceDelete): .done
        case (.waiting, .finalize), (.active, .finalize), (.pending, .finalize): .done
        case (.waiting, .sweep), (.active, .sweep), (.pending, .sweep), (.deleted, .sweep): .nothing
        case (.pendingPastDeadline, .sweep): .done
        case (.waiting, .sign): .done
        case (.active, .sign): .renewed
        case (.waiting, .describe), (.active, .describe), (.waiting, .rename), (.active, .rename): .done
        case (.waiting, .rotate), (.active, .rotate): .done
        case (.pending, .sign), (.pending, .describe), (.pending, .rename), (.pending, .rotate): .conflict
        case (.pendingPastDeadline, .finalize), (.deleted, .finalize): .nothing
        case (.pendingPastDeadline, _), (.deleted, _): .gone
        }
    }

    @Test(arguments: Situation.allCases, TunnelEvent.allCases)
    func `every event has its outcome in every state`(situation: Situation, event: TunnelEvent) throws {
        var tunnel = try TunnelTests.tunnel(.passthrough)
        for (step, delay) in situation.route { _ = step.apply(to: &tunnel, at: Self.start + delay) }
        // The grace window began at the start.
        #expect(event.apply(to: &tunnel, at: situation.now) == Self.expected(situation, event))
    }

    @Test(arguments: Situation.allCases, TunnelEvent.allCases)
    func `a refused event changes nothing`(situation: Situation, event: TunnelEvent) throws {
        var tunnel = try TunnelTests.tunnel(.passthrough)
        for (step, delay) in situation.route { _ = step.apply(to: &tunnel, at: Self.start + delay) }
        let before = tunnel
        switch event.apply(to: &tunnel, at: situation.now) {
        case .nothing, .gone, .conflict, .edge, .identity: #expect(tunnel == before)
        case .done, .waits, .renewed: #expect(tunnel != before)
        case .unexpected: Issue.record("an error of another transition")
        }
    }

    @Test(arguments: TunnelEvent.allCases)
    func `deleted is final`(event: TunnelEvent) throws {
        var tunnel = try TunnelTests.tunnel()
        _ = tunnel.finalize(at: Self.start)
        _ = event.apply(to: &tunnel, at: Self.start + .seconds(1))
        #expect(tunnel.status(at: Self.start + .days(400)) == .deleted)
    }
}

// MARK: - Random runs

extension TunnelTransitionsTests {
    @Test func `no sequence of events differs from the naive tunnel`() throws {
        try checkProperty { sample in
            let (isEdge, hasIdentity) = (sample.bool(), sample.bool())
            var tunnel = try TunnelTests.tunnel(isEdge ? .edge : .passthrough, identity: hasIdentity)
            var naive = NaiveTunnel(isEdge: isEdge, hasIdentity: hasIdentity)
            var now = Self.start
            for _ in 0..<sample.int(in: 0...30) {
                let event = sample.element(of: TunnelEvent.allCases)
                now = now + sample.pause()
                sample.note("\(now) \(event)")
                let outcome = event.apply(to: &tunnel, at: now)
                let expected = naive.apply(event, at: now)
                // The naive tunnel has always been swept before anyone looks.
                if event != .sweep { try sample.check(outcome, is: expected, "the outcome of \(event)") }
                try sample.checkInvariants(of: tunnel, at: now)
                for later in [.zero, Duration.hours(23), .hours(24), .days(91)] {
                    try sample.check(
                        tunnel.status(at: now + later).rawValue, is: naive.status(at: now + later), "the status after \(later)")
                }
            }
        }
    }

    @Test func `a sweeper that runs late or never changes nothing that anyone can observe`() throws {
        try checkProperty { sample in
            let mode: TLSMode = sample.bool() ? .edge : .passthrough
            var (swept, unswept) = (try TunnelTests.tunnel(mode), try TunnelTests.tunnel(mode))
            var now = Self.start
            for _ in 0..<sample.int(in: 0...30) {
                let event = sample.element(of: TunnelEvent.allCases.filter { $0 != .sweep })
                now = now + sample.pause()
                sample.note("\(now) \(event)")
                if sample.bool() { _ = swept.sweep(at: now) }
                try sample.check(event.apply(to: &swept, at: now), is: event.apply(to: &unswept, at: now), "the outcome")
                try sample.check(swept.status(at: now), is: unswept.status(at: now), "the status")
                try sample.check(swept.restoreDeadline(at: now), is: unswept.restoreDeadline(at: now), "the deadline")
                try sample.check(swept.holdsName(at: now), is: unswept.holdsName(at: now), "whether the name is taken")
            }
        }
    }

    @Test func `a record that was stored in between goes on as if it had not been`() throws {
        try checkProperty { sample in
            var tunnel = try TunnelTests.tunnel(sample.bool() ? .edge : .passthrough, identity: sample.bool())
            var now = Self.start
            for _ in 0..<sample.int(in: 0...30) {
                let event = sample.element(of: TunnelEvent.allCases)
                now = now + sample.pause()
                sample.note("\(now) \(event)")
                _ = event.apply(to: &tunnel, at: now)
                let stored = tunnel.storedState
                let state = Tunnel.StoredState(text: stored.text, restoreDeadline: stored.restoreDeadline)
                try sample.check(state != nil, "the stored state is refused")
                guard let state else { return }
                let restored = Tunnel(
                    restoring: tunnel.id, organizationID: tunnel.organizationID, identityID: tunnel.identityID,
                    name: tunnel.name, description: tunnel.description, metadataJSON: tunnel.metadataJSON,
                    tlsMode: tunnel.tlsMode, state: state, certificate: tunnel.certificate,
                    connectSecretHash: tunnel.connectSecretHash, lastConnectedAt: tunnel.lastConnectedAt,
                    lastConnectedAddress: tunnel.lastConnectedAddress, lastDisconnectedAt: tunnel.lastDisconnectedAt,
                    createdAt: tunnel.createdAt, updatedAt: tunnel.updatedAt)
                try sample.check(restored == tunnel, "the record differs")
            }
        }
    }
}

extension Sample {
    /// Draws how long nothing happens: mostly little, sometimes about as long as the grace window, rarely for months.
    fileprivate mutating func pause() -> Duration {
        switch int(in: 0...9) {
        case 0...5: .seconds(int64(in: 0...100))
        case 6: .microseconds(86_400_000_000 + int64(in: -1...1))
        case 7, 8: .hours(int64(in: 1...30))
        default: .days(int64(in: 1...100))
        }
    }

    fileprivate func checkInvariants(of tunnel: Tunnel, at now: Timestamp) throws {
        let status = tunnel.status(at: now)
        try check((tunnel.restoreDeadline(at: now) != nil) == (status == .deletePending), "a deadline without a deletion")
        try check(!tunnel.canServe(at: now) || tunnel.helloAllowed(at: now), "served without an agent being let in")
        try check(!tunnel.canServe(at: now) || tunnel.holdsName(at: now), "served under a free name")
        try check(tunnel.tlsMode == .passthrough || tunnel.certificate == nil, "an edge tunnel has a certificate")
        try check(tunnel.tlsMode == .passthrough || status != .awaitingCert, "an edge tunnel waits for a certificate")
        try check(tunnel.tlsMode == .edge || status != .active || tunnel.certificate != nil, "active without a certificate")
        try check(tunnel.identityID == nil || tunnel.connectSecretHash == nil, "an identity's tunnel has a connect secret")
        try check(tunnel.createdAt <= tunnel.updatedAt, "changed before it was created")
    }
}
