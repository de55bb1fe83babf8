import LinuxIO
import TestSupport
import Testing

@testable import HTTPTransport

struct RoundTripTests {
    private static let far = ReceiveWindow.farRoundTrip

    @Test func `nothing is known before the first measurement`() {
        let roundTrip = RoundTrip(asks: true)
        #expect(roundTrip.certain == 0)
        #expect(!roundTrip.needsMore)
    }

    @Test func `a path is long when four measurements agree`() {
        var roundTrip = RoundTrip(asks: true)
        for _ in 1..<RoundTrip.farCountMin {
            roundTrip.measured(20 * Self.far)
            #expect(roundTrip.needsMore)
            #expect(roundTrip.certain == Self.far - 1)
        }
        roundTrip.measured(Self.far)
        #expect(!roundTrip.needsMore)
        #expect(roundTrip.certain == Self.far)
    }

    @Test func `one short measurement is enough, whenever it comes`() {
        for number in 0..<10 {
            var roundTrip = RoundTrip(asks: true)
            for _ in 0..<number { roundTrip.measured(Self.far) }
            roundTrip.measured(Self.far - 1)
            #expect(!roundTrip.needsMore)
            #expect(roundTrip.certain == Self.far - 1)
        }
    }

    @Test func `a peer that must not be asked is believed at once`() {
        var roundTrip = RoundTrip(asks: false)
        roundTrip.measured(Self.far)
        #expect(!roundTrip.needsMore)
        #expect(roundTrip.certain == Self.far)
    }

    /// The server asks again without waiting for its next PING to be due.
    @Test func `a peer that seems to be far away is asked again`() async throws {
        let settings = FloodTests.settings { $0.pingIntervalSeconds = 600 }
        try await withServer(settings: settings) { server in
            let client = try await server.client()
            client.send(RawFrame.hello)
            _ = await client.frames(until: .settings)
            let _: Bool = try await server.door.call { loop, done in
                loop.schedule(after: .nanoseconds(2 * Self.far)) { done(true) }
            }
            client.send(RawFrame.frame(.settings, flags: RawFrame.acknowledgement, []))
            #expect(await client.frames(until: .ping).first(.ping) != nil)
        }
    }
}
