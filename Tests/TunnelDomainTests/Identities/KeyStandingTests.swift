import TestSupport
import Testing
import TunnelDomain

struct KeyStandingTests {
    private static let now = Timestamp(secondsSinceEpoch: 1_776_774_600)
    private static let (past, future) = (now - .microseconds(1), now + .microseconds(1))

    @Test(
        arguments: [
            (nil, nil, .valid), (future, nil, .valid), (nil, future, .valid), (now, nil, .expired), (past, nil, .expired),
            (nil, now, .revoked), (future, past, .revoked), (now, past, .revoked),
            // An expiry that was written down later is still an expiry.
            (past, past, .expired), (past, now, .expired),
        ] as [(Timestamp?, Timestamp?, KeyStanding)])
    func `a key stands as its times say`(expiresAt: Timestamp?, revokedAt: Timestamp?, standing: KeyStanding) {
        #expect(KeyStanding(expiresAt: expiresAt, revokedAt: revokedAt, isReplaced: false, at: Self.now) == standing)
        #expect(KeyStanding(expiresAt: expiresAt, revokedAt: revokedAt, isReplaced: true, at: Self.now) == .replaced)
    }

    @Test func `every standing meets every secret`() {
        for standing in [nil] + KeyStanding.allCases.map({ $0 as KeyStanding? }) {
            for hasSecret in [false, true] {
                for matches in [false, true] {
                    let decision = SelfRotationDecision(standing: standing, hasSecret: hasSecret, secretMatches: matches)
                    let expected: SelfRotationDecision =
                        switch (standing, hasSecret, matches) {
                        case (.valid, true, true): .rotate
                        case (.valid, false, _): .refuseNoSecret
                        case (.revoked, true, true): .refuseRevoked
                        case (nil, _, _), (.valid, _, _), (.revoked, _, _), (.expired, _, _), (.replaced, _, _):
                            .refuseCredential
                        }
                    #expect(decision == expected, "\(String(describing: standing)) \(hasSecret) \(matches)")
                }
            }
        }
    }

    @Test(
        arguments: [
            ("", .labelEmpty), (String(repeating: "é", count: 256), .labelTooLong(scalarCount: 256)),
            ("x", nil), (String(repeating: "é", count: 255), nil),
        ] as [(String, APIKeyFieldError?)])
    func `a label has 1 to 255 characters`(label: String, error: APIKeyFieldError?) {
        var found: APIKeyFieldError?
        do throws(APIKeyFieldError) { try APIKeyFields.check(label: label) } catch { found = error }
        #expect(found == error)
    }

    @Test func `a description has at most 1000 characters, and an expiry lies ahead`() throws {
        let text = String(repeating: "é", count: 1000)
        try APIKeyFields.check(description: text)
        #expect(throws: APIKeyFieldError.descriptionTooLong(scalarCount: 1001)) {
            try APIKeyFields.check(description: text + "é")
        }
        try APIKeyFields.check(expiresAt: nil, at: Self.now)
        try APIKeyFields.check(expiresAt: Self.future, at: Self.now)
        #expect(throws: APIKeyFieldError.expiryInThePast) { try APIKeyFields.check(expiresAt: Self.now, at: Self.now) }
    }
}
