import TestSupport
import Testing
import TunnelDomain

struct DeliveryRetryPlanTests {
    private let plan = DeliveryRetryPlan()
    private let made = Timestamp(secondsSinceEpoch: 1_800_000_000)

    @Test func `waits double from five seconds to an hour`() {
        let seconds = (1...12).map { plan.delay(afterFailures: $0).components.seconds }
        #expect(seconds == [5, 10, 20, 40, 80, 160, 320, 640, 1_280, 2_560, 3_600, 3_600])
        #expect(plan.delay(afterFailures: .max) == .hours(1))
    }

    @Test(arguments: 1...200)
    func `chance takes at most a half away, and a wish makes it only longer`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let count = Int.random(in: 1...20, using: &random)
        let wish: Duration? = Bool.random(using: &random) ? .seconds(Int64.random(in: 0...10_000, using: &random)) : nil
        let now = made + .seconds(Int64.random(in: 0...3_600, using: &random))
        let full = plan.delay(afterFailures: count)
        guard case .retry(let next) = plan.next(afterFailures: count, madeAt: made, wish: wish, at: now, using: &random)
        else {
            Issue.record("there is a day for it")
            return
        }
        let floor = max(full / 2, min(wish ?? .zero, plan.delayMax))
        #expect((floor...max(full, floor)).contains(next - now))
    }

    @Test(arguments: 1...100)
    func `a delivery that always fails ends after a day, with some dozens of attempts`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var (now, count) = (made, 0)
        while true {
            count += 1
            switch plan.next(afterFailures: count, madeAt: made, at: now, using: &random) {
            case .retry(let next):
                #expect(next > now, "time passes between attempts")
                #expect(next <= made + plan.lifetime)
                now = next
            case .giveUp:
                // Nothing is given up while another attempt would have fitted.
                #expect(now - made >= plan.lifetime - plan.delayMax)
                #expect((30...70).contains(count))
                return
            }
        }
    }

    @Test func `the last moment of the day still counts, the one after it does not`() {
        var plan = plan
        plan.firstDelay = .zero
        var random = SeededGenerator(seed: 1)
        let end = made + plan.lifetime
        #expect(plan.next(afterFailures: 1, madeAt: made, at: end, using: &random) == .retry(at: end))
        #expect(plan.next(afterFailures: 1, madeAt: made, at: end + .microseconds(1), using: &random) == .giveUp)
    }
}
