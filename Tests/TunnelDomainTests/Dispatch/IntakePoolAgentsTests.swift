import Testing
import TunnelDomain

struct IntakePoolAgentsTests {
    @Test func `a later agent takes over, with the queue and without the work in hand`() {
        var stage = PoolStage()
        _ = stage.connect(1)
        _ = stage.park(100)
        _ = [stage.arrive(10), stage.arrive(11)]
        #expect(stage.connect(2) == .serve)
        #expect(stage.actions == [.failRequest(request: 10, reason: .agentDisconnected), .supersede(agent: 1)])
        #expect(stage.park(101, by: 1) == .superseded)
        #expect(stage.reply(10) == .gone)
        #expect(stage.park(200, by: 2) == .hand(request: 11))
    }

    @Test func `a superseded agent's parked intakes end, and its replies go on`() {
        var stage = PoolStage()
        _ = stage.connect(1)
        _ = [stage.park(100), stage.park(101)]
        _ = stage.arrive(10)
        _ = stage.reply(10)
        _ = stage.connect(2)
        #expect(stage.actions == [.releaseIntake(intake: 101, reason: .superseded), .supersede(agent: 1)])
        stage.lose(1)
        #expect(stage.actions == [])
        #expect(stage.pool.servingAgents == [2])
    }

    @Test func `the same agent saying hello again only changes its pool size`() {
        var stage = PoolStage()
        _ = stage.connect(1, poolSize: 1)
        _ = stage.park(100)
        #expect(stage.connect(1, poolSize: 2) == .serve)
        #expect(stage.actions == [])
        #expect([stage.park(101), stage.park(102)] == [.hold, .overPoolSize])
    }

    @Test func `agents that evict each other are held off after five takeovers`() {
        var stage = PoolStage()
        for agent in 1...6 as ClosedRange<UInt64> { #expect(stage.connect(agent) == .serve) }
        #expect(stage.connect(7) == .refuseTooManyTakeovers(retryAfter: .seconds(30), isFirst: true))
        #expect(stage.actions == [])
        #expect(stage.pool.servingAgents == [6])
        stage.pass(.seconds(29))
        #expect(stage.connect(7) == .refuseTooManyTakeovers(retryAfter: .seconds(1), isFirst: false))
        stage.pass(.seconds(1))
        #expect(stage.connect(7) == .serve)
    }

    @Test func `slow takeovers are no eviction`() {
        var stage = PoolStage()
        for agent in 1...20 as ClosedRange<UInt64> {
            #expect(stage.connect(agent) == .serve)
            stage.pass(.seconds(12))
        }
    }

    @Test func `whoever follows a lost agent is no challenger`() {
        var stage = PoolStage()
        for agent in 1...6 as ClosedRange<UInt64> { _ = stage.connect(agent) }
        _ = stage.connect(7)
        stage.lose(6)
        #expect(stage.connect(7) == .serve)
    }

    @Test func `a lost agent's requests fail at once, queued ones too`() {
        var stage = PoolStage()
        _ = stage.connect(1)
        _ = stage.park(100)
        _ = [stage.arrive(10), stage.arrive(11)]
        stage.lose(1)
        #expect(
            stage.actions == [
                .failRequest(request: 10, reason: .agentDisconnected), .failRequest(request: 11, reason: .agentDisconnected),
            ])
        #expect(stage.arrive(12) == .refuse(.agentOffline))
        #expect(stage.pool.nextDeadline == nil)
    }

    @Test func `a draining agent gets no new work and may finish what it has`() {
        var stage = PoolStage()
        _ = stage.connect(1)
        _ = [stage.park(100), stage.park(101)]
        _ = stage.arrive(10)
        stage.pool.agentDraining(1)
        #expect(stage.pool.servingAgents == [])
        #expect(stage.arrive(11) == .queued)
        #expect(stage.park(102) == .hold, "it is kept open, and given nothing")
        #expect(stage.connect(2) == .serve)
        #expect(stage.actions == [], "a successor is expected, nobody is superseded")
        #expect(stage.park(200, by: 2) == .hand(request: 11))
        #expect(stage.pool.inFlightCount(of: 1) == 1)
        #expect(stage.reply(10) == .accept)
        stage.pass(.seconds(60))
        #expect(
            stage.actions == [
                .failRequest(request: 11, reason: .responseDeadlineExceeded), .releaseIntake(intake: 101, reason: .idle),
                .releaseIntake(intake: 102, reason: .idle),
            ])
    }

    @Test func `the queue does not wait for a successor when the draining agent is lost first`() {
        var stage = PoolStage()
        _ = stage.connect(1)
        stage.pool.agentDraining(1)
        _ = stage.arrive(10)
        stage.lose(1)
        #expect(stage.actions == [.failRequest(request: 10, reason: .agentDisconnected)])
        #expect(stage.arrive(11) == .refuse(.agentOffline))
    }

    @Test func `a closed pool has nothing left and takes nothing`() {
        var stage = PoolStage()
        _ = stage.connect(1)
        _ = stage.park(100)
        _ = [stage.arrive(10), stage.arrive(11)]
        stage.close()
        #expect(
            stage.actions == [
                .failRequest(request: 10, reason: .agentDisconnected), .failRequest(request: 11, reason: .tunnelInactive),
            ])
        #expect(stage.arrive(12) == .refuse(.tunnelInactive))
        #expect(stage.park(101) == .closed)
        #expect(stage.connect(2) == .refuseClosed)
        #expect(stage.reply(10) == .gone)
        stage.pool.reopen()
        #expect(stage.arrive(13) == .refuse(.agentOffline))
        #expect(stage.connect(2) == .serve)
    }

    @Test func `closing releases what is parked`() {
        var stage = PoolStage()
        _ = stage.connect(1)
        _ = stage.park(100)
        stage.close()
        #expect(stage.actions == [.releaseIntake(intake: 100, reason: .closed)])
        stage.close()
        #expect(stage.actions == [])
    }
}
