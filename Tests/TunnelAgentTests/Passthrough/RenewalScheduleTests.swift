import Testing
import TunnelDomain

@testable import TunnelAgent

struct RenewalScheduleTests {
    private static let start = Timestamp(secondsSinceEpoch: 1_000_000)
    private static let validity = CertificateValidity(notBefore: start, notAfter: start + .days(90))

    @Test func `a certificate is renewed from two thirds of its life on`() {
        let schedule = RenewalSchedule(of: Self.validity)
        #expect(!schedule.isDue(at: Self.start + .days(60) - .seconds(1)))
        #expect(schedule.isDue(at: Self.start + .days(60)))
    }

    @Test func `failures are followed by 1, 10 and 100 minutes, then days`() {
        var schedule = RenewalSchedule(of: Self.validity)
        var now = Self.start + .days(60)
        for wait in [Duration.seconds(60), .seconds(600), .seconds(6_000), .days(1), .days(1)] {
            #expect(schedule.isDue(at: now))
            schedule.failed(at: now)
            #expect(!schedule.isDue(at: now + wait - .seconds(1)))
            now = now + wait
        }
        #expect(schedule.failureCount == 5)
    }

    @Test func `a renewal begins anew`() {
        var schedule = RenewalSchedule(of: Self.validity)
        let now = Self.start + .days(61)
        schedule.failed(at: now)
        schedule.renewed(CertificateValidity(notBefore: now, notAfter: now + .days(90)))
        #expect(schedule.failureCount == 0 && !schedule.isDue(at: now + .days(1)) && schedule.isDue(at: now + .days(60)))
    }

    @Test func `a failure noted by a clock that was ahead holds nobody up`() {
        var schedule = RenewalSchedule(of: Self.validity)
        schedule.failed(at: Self.start + .days(89))
        #expect(schedule.isDue(at: Self.start + .days(70)))
        #expect(!schedule.isDue(at: Self.start + .days(10)))
    }
}
