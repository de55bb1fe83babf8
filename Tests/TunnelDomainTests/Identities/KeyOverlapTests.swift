import TestSupport
import Testing
import TunnelDomain

struct KeyOverlapTests {
    private static let now = Timestamp(secondsSinceEpoch: 1_776_774_600)

    @Test func `an overlap has 0 to 168 whole hours`() {
        for hours in [0, 1, 167, 168] { #expect(KeyOverlap(hours: hours)?.hours == hours) }
        for hours in [-1, 169, Int.max, Int.min] { #expect(KeyOverlap(hours: hours) == nil) }
        #expect(KeyOverlap(hours: 0) == KeyOverlap.none)
    }

    @Test(
        arguments: [
            (.valid, false, nil, 0, .replace), (.valid, false, nil, 2, .overlap(until: now + .hours(2))),
            (.valid, false, now + .hours(2), 3, .overlap(until: now + .hours(2))),
            (.valid, false, now + .hours(3), 3, .overlap(until: now + .hours(3))),
            (.valid, false, now + .hours(4), 3, .overlap(until: now + .hours(3))),
            (.valid, false, now + .hours(4), 0, .replace),
            (.valid, true, now + .hours(4), 0, .refuseRotated), (.valid, true, now + .hours(4), 1, .refuseRotated),
            (.replaced, true, nil, 1, .refuseRotated), (.replaced, false, nil, 0, .refuseRotated),
            (.expired, false, now, 1, .refuseEnded), (.revoked, false, nil, 0, .refuseEnded),
        ] as [(KeyStanding, Bool, Timestamp?, Int, KeyRotationDecision)])
    func `what becomes of a key that is rotated`(
        standing: KeyStanding, hasSuccessor: Bool, expiresAt: Timestamp?, hours: Int, decision: KeyRotationDecision
    ) throws {
        let overlap = try #require(KeyOverlap(hours: hours))
        #expect(
            KeyRotationDecision(
                standing: standing, hasSuccessor: hasSuccessor, expiresAt: expiresAt, overlap: overlap, at: Self.now)
                == decision)
    }

    @Test func `a rotated key counts until its overlap ends, to the microsecond, and no longer than it would have`() throws {
        try checkProperty { sample in
            let hours = sample.int(in: 0...KeyOverlap.hoursMax)
            let expiry = sample.optional { Self.now + .microseconds($0.int64(in: 1...2_000_000_000_000)) }
            let later = Self.now + .microseconds(sample.int64(in: 0...1_000_000_000_000))
            sample.note("\(hours) h, expires \(String(describing: expiry)), at \(later)")
            guard let overlap = KeyOverlap(hours: hours) else { return try sample.check(false, "so many hours are refused") }
            let decision = KeyRotationDecision(
                standing: .valid, hasSuccessor: false, expiresAt: expiry, overlap: overlap, at: Self.now)
            switch decision {
            case .replace:
                try sample.check(hours, is: 0, "the hours")
                let standing = KeyStanding(expiresAt: expiry, revokedAt: Self.now, hasSuccessor: true, at: later)
                try sample.check(standing, is: .replaced)
            case .overlap(let end):
                try sample.check(end > Self.now && end <= Self.now + .hours(Int64(hours)), "it ends at another time")
                try sample.check(expiry.map { end <= $0 } ?? true, "it lives longer than it would have")
                let standing = { KeyStanding(expiresAt: end, revokedAt: nil, hasSuccessor: true, at: $0) }
                try sample.check(standing(later), is: later < end ? .valid : .replaced)
                try sample.check(standing(end), is: .replaced)
                try sample.check(standing(end - .microseconds(1)), is: .valid)
                let revoked = KeyStanding(expiresAt: end, revokedAt: Self.now, hasSuccessor: true, at: later)
                try sample.check(revoked, is: .replaced, "one that was revoked meanwhile")
            case .refuseEnded, .refuseRotated: try sample.check(false, "a valid key is not rotated")
            }
        }
    }

    @Test func `a clock that is set back brings no replaced key to life`() {
        let earlier = Self.now - .hours(1)
        #expect(KeyStanding(expiresAt: nil, revokedAt: Self.now, hasSuccessor: true, at: earlier) == .replaced)
        #expect(KeyStanding(expiresAt: Self.now + .days(9), revokedAt: Self.now, hasSuccessor: true, at: earlier) == .replaced)
        #expect(KeyStanding(expiresAt: nil, revokedAt: nil, hasSuccessor: true, at: earlier) == .replaced)
    }
}
