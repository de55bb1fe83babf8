import Testing
import TunnelDomain

struct IntakePoolTests {
    @Test func `the defaults are the data plane's`() {
        let limits = IntakePool.Limits()
        #expect((limits.queueMax, limits.poolSizeMax, limits.supersedesMax) == (128, 32, 5))
        #expect((limits.queueWait, limits.responseDeadline, limits.intakeIdle) == (.seconds(5), .seconds(60), .seconds(60)))
        #expect((limits.supersedeWindow, limits.supersedeHold) == (.seconds(60), .seconds(30)))
    }

    @Test func `without an agent a request is refused`() {
        var stage = PoolStage()
        #expect(stage.arrive(10) == .refuse(.agentOffline))
    }

    @Test func `requests meet intakes in the order of their coming`() {
        var stage = PoolStage()
        #expect(stage.connect(1) == .serve)
        #expect([stage.park(100), stage.park(101)] == [.hold, .hold])
        #expect([stage.arrive(10), stage.arrive(11)] == [.hand(intake: 100), .hand(intake: 101)])
        #expect([stage.arrive(12), stage.arrive(13)] == [.queued, .queued])
        #expect([stage.park(102), stage.park(103)] == [.hand(request: 12), .hand(request: 13)])
        #expect(stage.park(104) == .hold)
    }

    @Test func `a lost intake is given nothing`() {
        var stage = PoolStage()
        _ = stage.connect(1)
        _ = [stage.park(100), stage.park(101)]
        stage.pool.intakeLost(100)
        #expect(stage.arrive(10) == .hand(intake: 101))
    }

    @Test func `the queue has a bound`() {
        var stage = PoolStage { $0.queueMax = 2 }
        _ = stage.connect(1)
        #expect([stage.arrive(10), stage.arrive(11), stage.arrive(12)] == [.queued, .queued, .refuse(.agentBusy)])
    }

    @Test func `an agent parks as many intakes as it said, at most 32`() {
        for (asked, allowed) in [(1, 1), (0, 1), (-5, 1), (32, 32), (33, 32), (1000, 32)] {
            var stage = PoolStage()
            _ = stage.connect(1, poolSize: asked)
            for intake in 0..<UInt64(allowed) { #expect(stage.park(100 + intake) == .hold) }
            #expect(stage.park(999) == .overPoolSize)
        }
    }

    @Test func `a request waits five seconds for an intake`() {
        var stage = PoolStage()
        _ = stage.connect(1)
        _ = stage.arrive(10)
        #expect(stage.pool.nextDeadline == MonotonicInstant(nanoseconds: 5_000_000_000))
        stage.pass(.seconds(5) - .nanoseconds(1))
        #expect(stage.actions == [])
        stage.pass(.nanoseconds(1))
        #expect(stage.actions == [.failRequest(request: 10, reason: .agentBusy)])
        #expect(stage.pool.nextDeadline == nil)
    }

    @Test func `an idle intake is released once`() {
        var stage = PoolStage()
        _ = stage.connect(1)
        _ = stage.park(100)
        stage.pass(.seconds(60))
        #expect(stage.actions == [.releaseIntake(intake: 100, reason: .idle)])
        stage.pass(.seconds(60))
        #expect(stage.actions == [])
        #expect(stage.arrive(10) == .queued)
    }
}

// MARK: - Replies

extension IntakePoolTests {
    private static func handed(_ request: UInt64 = 10) -> PoolStage {
        var stage = PoolStage()
        _ = stage.connect(1)
        _ = stage.park(100)
        _ = stage.arrive(request)
        return stage
    }

    @Test func `a reply is accepted once`() {
        var stage = Self.handed()
        #expect(stage.reply(10) == .accept)
        #expect(stage.reply(10) == .alreadyAnswered)
        stage.pool.replyFinished(10)
        #expect(stage.reply(10) == .alreadyAnswered)
        stage.pass(.seconds(120))
        #expect(stage.reply(10) == .unknown)
    }

    @Test func `a reply to nothing, or to what no agent was given, is unknown`() {
        var stage = PoolStage()
        _ = stage.connect(1)
        _ = stage.arrive(10)
        #expect(stage.reply(10) == .unknown)
        #expect(stage.reply(77) == .unknown)
    }

    @Test func `a reply whose third party is gone is told so`() {
        var stage = Self.handed()
        stage.pool.requestAbandoned(10)
        #expect(stage.reply(10) == .gone)
        stage.pass(.seconds(60))
        #expect(stage.actions == [], "an abandoned request does not fail too")
    }

    @Test func `an abandoned request in the queue is not handed over`() {
        var stage = PoolStage()
        _ = stage.connect(1)
        _ = [stage.arrive(10), stage.arrive(11)]
        stage.pool.requestAbandoned(10)
        #expect(stage.park(100) == .hand(request: 11))
    }

    @Test func `the response deadline runs from the handing over, to the nanosecond`() {
        var stage = PoolStage()
        _ = stage.connect(1)
        _ = stage.arrive(10)
        stage.pass(.seconds(4))
        _ = stage.park(100)
        stage.pass(.seconds(60) - .nanoseconds(1))
        #expect(stage.actions == [])
        var other = stage
        #expect(other.reply(10) == .accept)
        stage.pass(.nanoseconds(1))
        #expect(stage.actions == [.failRequest(request: 10, reason: .responseDeadlineExceeded)])
        #expect(stage.reply(10) == .gone)
    }

    @Test func `a late timer does not let a late reply in`() {
        var stage = Self.handed()
        stage.now = stage.now + .seconds(60)
        #expect(stage.reply(10) == .gone)
        stage.pass(.zero)
        #expect(stage.actions == [.failRequest(request: 10, reason: .responseDeadlineExceeded)])
    }

    @Test func `a reply that has begun has no deadline`() {
        var stage = Self.handed()
        _ = stage.reply(10)
        stage.pass(.days(1))
        #expect(stage.actions == [])
        #expect(stage.pool.inFlightCount == 1)
        stage.pool.replyFinished(10)
        #expect(stage.pool.inFlightCount == 0)
    }

    @Test func `so many ended requests are remembered, and no more`() {
        var stage = PoolStage { ($0.goneMemoryMax, $0.answeredMemoryMax) = (2, 1) }
        _ = stage.connect(1)
        for request in 10...14 as ClosedRange<UInt64> {
            _ = stage.park(request + 100)
            _ = stage.arrive(request)
        }
        for request in 10...12 as ClosedRange<UInt64> { stage.pool.requestAbandoned(request) }
        #expect([stage.reply(10), stage.reply(11), stage.reply(12)] == [.unknown, .gone, .gone])
        for request in [13, 14] as [UInt64] {
            _ = stage.reply(request)
            stage.pool.replyFinished(request)
        }
        #expect([stage.reply(13), stage.reply(14)] == [.unknown, .alreadyAnswered])
    }

    @Test func `a request that could not be sent goes to the next intake`() {
        var stage = Self.handed()
        _ = stage.park(101)
        stage.pool.handFailed(10, at: stage.now, into: &stage.actions)
        #expect(stage.actions == [.hand(request: 10, intake: 101)])
        #expect(stage.reply(10) == .accept)
    }

    @Test func `a request that could not be sent gets its old place in the queue`() {
        var stage = Self.handed()
        stage.pass(.seconds(1))
        _ = stage.arrive(11)
        stage.pool.handFailed(10, at: stage.now, into: &stage.actions)
        #expect(stage.actions == [])
        stage.pass(.seconds(4))
        #expect(stage.actions == [.failRequest(request: 10, reason: .agentBusy)])
        #expect(stage.park(101) == .hand(request: 11))
    }

    @Test func `requests that come too fast are refused, and only where somebody serves`() {
        var stage = PoolStage { $0.requestsPerSecondMax = 2 }
        for request in 1...3 { #expect(stage.arrive(UInt64(request)) == .refuse(.agentOffline)) }
        _ = stage.connect(1)
        _ = stage.park(100)
        #expect(stage.arrive(4) == .hand(intake: 100))
        #expect(stage.arrive(5) == .queued)
        #expect(stage.arrive(6) == .refuse(.tooManyRequests))
        #expect(stage.pool.queuedCount == 1)
        stage.pass(.milliseconds(500))
        #expect(stage.arrive(7) == .queued)
        #expect(stage.arrive(8) == .refuse(.tooManyRequests))
    }
}
