import Testing
import TunnelDomain

@testable import TunnelService

struct EventFeedTests {
    private let feed = EventFeed()
    private let home: OrganizationID
    private let foreign: OrganizationID

    init() throws {
        home = try #require(OrganizationID("org_home"))
        foreign = try #require(OrganizationID("org_foreign"))
    }

    /// Never ends by itself.
    private static let forever: EventBell.Pause = { _ in try await Task.sleep(for: .seconds(3_600)) }
    private static let atOnce: EventBell.Pause = { _ in }

    @Test func `a ring while nobody waits is kept, and several are one`() async throws {
        let bell = try #require(feed.join(home))
        feed.announce([home])
        feed.announce([home])
        #expect(await bell.wait(atMost: .seconds(1), pause: Self.forever) == .news)
        #expect(await bell.wait(atMost: .seconds(1), pause: Self.atOnce) == .silence)
    }

    @Test func `a waiting listener is woken by its own organization`() async throws {
        let (bell, other) = (try #require(feed.join(home)), try #require(feed.join(foreign)))
        async let ring = bell.wait(atMost: .seconds(1), pause: Self.forever)
        feed.announce([home])
        #expect(await ring == .news)
        #expect(await other.wait(atMost: .seconds(1), pause: Self.atOnce) == .silence)
    }

    @Test func `credentials concern everybody`() async throws {
        let bells = [try #require(feed.join(home)), try #require(feed.join(foreign))]
        feed.announceCredentials()
        for bell in bells { #expect(await bell.wait(atMost: .seconds(1), pause: Self.forever) == .news) }
    }

    @Test func `the end of the service ends every wait, also later ones`() async throws {
        let bell = try #require(feed.join(home))
        async let ring = bell.wait(atMost: .seconds(1), pause: Self.forever)
        feed.close()
        #expect(await ring == .closed)
        let late = try #require(feed.join(home))
        #expect(await late.wait(atMost: .seconds(1), pause: Self.forever) == .closed)
    }

    @Test func `an organization has as many listeners as it may, and each that leaves makes room`() throws {
        let first = try #require(feed.join(home, countMax: 2))
        _ = try #require(feed.join(home, countMax: 2))
        #expect(feed.join(home, countMax: 2) == nil)
        #expect(feed.join(foreign, countMax: 2) != nil)
        feed.leave(home, first)
        #expect(feed.listenerCount == 2)
        #expect(feed.join(home, countMax: 2) != nil)
        #expect(feed.join(foreign, countMax: 0) == nil)
    }

    @Test func `no ring is lost between looking and waiting`() async throws {
        let bell = try #require(feed.join(home))
        let (feed, home) = (feed, home)
        for _ in 0..<500 {
            let ringer = Task.detached { feed.announce([home]) }
            #expect(await bell.wait(atMost: .seconds(1), pause: Self.forever) == .news)
            await ringer.value
        }
    }
}
