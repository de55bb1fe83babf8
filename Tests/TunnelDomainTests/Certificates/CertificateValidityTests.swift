import TestSupport
import Testing
import TunnelDomain

struct CertificateValidityTests {
    private static let start = Timestamp(secondsSinceEpoch: 1_776_774_600)
    private static let validity = CertificateValidity(notBefore: start, notAfter: start + .days(90))

    @Test func `both ends belong to the validity`() {
        #expect(Self.validity.isValid(at: Self.start))
        #expect(Self.validity.isValid(at: Self.start + .days(90)))
        #expect(!Self.validity.isValid(at: Self.start - .microseconds(1)))
        #expect(!Self.validity.isValid(at: Self.start + .days(90) + .microseconds(1)))
    }

    @Test func `a skew draws both ends in`() {
        #expect(!Self.validity.isValid(at: Self.start + .seconds(59), skew: .seconds(60)))
        #expect(Self.validity.isValid(at: Self.start + .seconds(60), skew: .seconds(60)))
        #expect(Self.validity.isValid(at: Self.start + .days(90) - .seconds(60), skew: .seconds(60)))
        #expect(!Self.validity.isValid(at: Self.start + .days(90) - .seconds(59), skew: .seconds(60)))
    }

    @Test func `a larger skew is never more lenient, and every clock within it agrees`() throws {
        try checkProperty { sample in
            let validity = CertificateValidity(
                notBefore: Self.start, notAfter: Self.start + .seconds(sample.int64(in: 0...1000)))
            let now = Self.start + .seconds(sample.int64(in: -100...1100))
            let skew = sample.int64(in: 0...100)
            let error = sample.int64(in: -skew...skew)
            sample.note("\(validity) at \(now), skew \(skew), clock wrong by \(error)")
            guard validity.isValid(at: now, skew: .seconds(skew)) else { return }
            try sample.check(validity.isValid(at: now), "not valid without a skew")
            try sample.check(validity.isValid(at: now + .seconds(error)), "not valid for a clock within the skew")
        }
    }
}
