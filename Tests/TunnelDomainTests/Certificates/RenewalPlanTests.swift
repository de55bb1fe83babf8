import TestSupport
import Testing
import TunnelDomain

struct RenewalPlanTests {
    private static let start = Timestamp(secondsSinceEpoch: 1_776_774_600)

    private static func validity(days: Int64) -> CertificateValidity {
        CertificateValidity(notBefore: start, notAfter: start + .days(days))
    }

    @Test(arguments: [(6, 4), (90, 60), (3650, 2433)] as [(Int64, Int64)])
    func `a certificate is renewed after two thirds of its life`(days: Int64, renewDays: Int64) {
        let plan = RenewalPlan(of: Self.validity(days: days))
        #expect(plan.renewFrom >= Self.start + .days(renewDays))
        #expect(plan.renewFrom < Self.start + .days(renewDays + 1))
    }

    @Test(
        arguments: [
            (0, RenewalUrgency.fresh), (59, .fresh), (60, .due), (74, .due), (75, .urgent), (82, .urgent), (83, .critical),
            (90, .critical), (91, .expired),
        ] as [(Int64, RenewalUrgency)])
    func `ninety days pass from fresh to expired`(days: Int64, urgency: RenewalUrgency) {
        #expect(RenewalPlan(of: Self.validity(days: 90)).urgency(at: Self.start + .days(days)) == urgency)
    }

    @Test func `a twelfth of the life is critical to the microsecond`() {
        let plan = RenewalPlan(of: Self.validity(days: 90))
        let moment = Self.start + .hours(82 * 24 + 12)
        #expect(plan.urgency(at: moment - .microseconds(1)) == .urgent)
        #expect(plan.urgency(at: moment) == .critical)
    }

    @Test func `a fast clock must not find it expired`() {
        let plan = RenewalPlan(of: CertificateValidity(notBefore: Self.start, notAfter: Self.start + .seconds(600)))
        #expect(plan.unsafeFrom == Self.start + .seconds(300))
        #expect(plan.renewFrom == Self.start + .seconds(300))
        #expect(plan.urgency(at: Self.start + .seconds(299)) == .fresh)
        #expect(plan.urgency(at: Self.start + .seconds(300)) == .critical)
    }

    @Test func `the issuer's advice can only bring a renewal forward`() {
        let sooner = RenewalPlan(of: Self.validity(days: 90), advisedFrom: Self.start + .days(10))
        #expect(sooner.renewFrom == Self.start + .days(10))
        let later = RenewalPlan(of: Self.validity(days: 90), advisedFrom: Self.start + .days(80))
        #expect(later.renewFrom == Self.start + .days(60))
        let before = RenewalPlan(of: Self.validity(days: 90), advisedFrom: Self.start - .days(1))
        #expect(before.renewFrom == Self.start)
    }

    @Test(arguments: [(1, 60), (2, 600), (3, 6000), (4, 86_400), (100, 86_400)] as [(Int, Int64)])
    func `failures are repeated after 1, 10 and 100 minutes and then daily`(count: Int, seconds: Int64) {
        let plan = RenewalPlan(of: Self.validity(days: 90))
        let last = Self.start + .days(61)
        #expect(plan.nextAttempt(afterFailures: count, lastAt: last) == last + .seconds(seconds))
        #expect(plan.nextAttempt(afterFailures: 0, lastAt: last) == plan.renewFrom)
    }

    @Test func `a six-day certificate does not wait for a day when half a day is left`() {
        let plan = RenewalPlan(of: Self.validity(days: 6))
        let last = Self.start + .days(6) - .hours(12)
        #expect(plan.nextAttempt(afterFailures: 9, lastAt: last) == last + .hours(6))
        let lapsed = Self.start + .days(7)
        #expect(plan.nextAttempt(afterFailures: 20, lastAt: lapsed) == lapsed + .seconds(6000))
    }

    @Test func `urgency only rises, and a renewal is due exactly from its moment`() throws {
        try checkProperty { sample in
            let plan = sample.plan()
            let moments = (0..<8).map { _ in sample.moment(around: plan.validity) }.sorted()
            sample.note("\(plan)")
            for (earlier, later) in zip(moments, moments.dropFirst()) {
                try sample.check(plan.urgency(at: earlier) <= plan.urgency(at: later), "\(earlier) is worse than \(later)")
            }
            for moment in moments {
                try sample.check(plan.urgency(at: moment) > .fresh, is: moment >= plan.renewFrom, "whether \(moment) is due")
                try sample.check(
                    plan.urgency(at: moment) == .expired, is: moment > plan.validity.notAfter, "whether it has expired")
            }
        }
    }

    @Test func `renewal begins within the validity, with a third or the skew to spare`() throws {
        try checkProperty { sample in
            let plan = sample.plan()
            sample.note("\(plan)")
            try sample.check(plan.renewFrom >= plan.validity.notBefore, "before it is valid")
            try sample.check(plan.renewFrom <= plan.unsafeFrom, "when clients may already refuse it")
            try sample.check(
                (plan.validity.notAfter - plan.renewFrom) * 3 >= plan.validity.lifetime, "with less than a third left")
        }
    }

    @Test func `attempts go on, never more than a day apart, and one lies before the end`() throws {
        try checkProperty { sample in
            let validity = sample.validity(daysMax: 400)
            let plan = RenewalPlan(of: validity)
            var last = plan.renewFrom
            var attempts = [last]
            for count in 1...sample.int(in: 1...40) {
                let next = plan.nextAttempt(afterFailures: count, lastAt: last)
                try sample.check(next > last, "no later than the one before")
                try sample.check(next - last <= .days(1), "more than a day later")
                attempts.append(next)
                last = next
            }
            sample.note("\(validity): \(attempts)")
            // With a quarter of an hour to go, waiting for the next try is all that can be done.
            let lastInTime = attempts.last { $0 <= validity.notAfter } ?? validity.notBefore
            let isOver = last > validity.notAfter
            let slack = max(validity.lifetime / 6, .seconds(6000))
            try sample.check(!isOver || validity.notAfter - lastInTime <= slack, "\(lastInTime) was the last attempt in time")
        }
    }
}

extension Sample {
    fileprivate mutating func validity(daysMax: Int64 = 3650) -> CertificateValidity {
        let start = Timestamp(secondsSinceEpoch: int64(in: 0...4_000_000_000))
        let seconds = chance(oneIn: 3) ? int64(in: 0...7200) : int64(in: 0...daysMax * 86_400)
        return CertificateValidity(notBefore: start, notAfter: start + .seconds(seconds))
    }

    fileprivate mutating func plan() -> RenewalPlan {
        let validity = validity()
        let advised = optional { $0.moment(around: validity) }
        return RenewalPlan(of: validity, advisedFrom: advised)
    }

    fileprivate mutating func moment(around validity: CertificateValidity) -> Timestamp {
        let margin: Int64 = 3_600_000_000
        let length = validity.lifetime.wholeMicroseconds
        return validity.notBefore + .microseconds(int64(in: -margin...length + margin))
    }
}
