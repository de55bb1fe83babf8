internal import TestSupport
internal import Testing
internal import TunnelDomain
@testable internal import TunnelAgent

struct HurryTests {
    @Test func `a sign that the network is back brings an attempt soon, and signs in a burst bring few`() throws {
        try checkProperty { sample in
            var backoff = ReconnectBackoff()
            var now = MonotonicInstant(nanoseconds: 0)
            var moments: [MonotonicInstant] = []
            for _ in 0..<30 {
                now = now + .milliseconds(sample.int(in: 0...5_000))
                let moment = backoff.hurry(at: now)
                try sample.check(moment - now >= ReconnectBackoff.settlingPause, "no time to settle")
                if let last = moments.last {
                    try sample.check(moment - last >= ReconnectBackoff.hurryApartMin, "attempts too close")
                }
                moments.append(moment)
            }
            // The count of failures is another matter: the pauses go on where they were.
            try sample.check(backoff.failureCount, is: 0, "failures counted")
        }
    }
}
