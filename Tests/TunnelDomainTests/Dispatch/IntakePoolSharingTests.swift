import Testing
import TunnelDomain

/// Several agents for one tunnel.
struct IntakePoolSharingTests {
    @Test func `agents that share serve side by side`() {
        var stage = PoolStage()
        #expect(stage.connect(1, isShared: true) == .serve)
        #expect(stage.connect(2, isShared: true) == .join)
        #expect(stage.actions == [])
        #expect(stage.pool.servingAgents == [1, 2])
    }

    @Test func `the agent with most free intakes gets the request, then the one whose last is longest ago`() {
        var stage = PoolStage()
        _ = [stage.connect(1, isShared: true), stage.connect(2, isShared: true)]
        _ = [stage.park(100, by: 1), stage.park(200, by: 2), stage.park(201, by: 2)]
        #expect(stage.arrive(10) == .hand(intake: 200))
        #expect(stage.arrive(11) == .hand(intake: 100))
        #expect(stage.arrive(12) == .hand(intake: 201))
        _ = [stage.park(202, by: 2), stage.park(101, by: 1)]
        #expect(stage.arrive(13) == .hand(intake: 101))
    }

    @Test func `an agent that leaves takes only its own requests with it`() {
        var stage = PoolStage()
        _ = [stage.connect(1, isShared: true), stage.connect(2, isShared: true)]
        _ = [stage.park(100, by: 1), stage.park(101, by: 1), stage.park(200, by: 2)]
        _ = stage.arrive(10)
        stage.lose(1)
        #expect(stage.actions == [.failRequest(request: 10, reason: .agentDisconnected)])
        #expect(stage.arrive(11) == .hand(intake: 200))
        #expect(stage.arrive(12) == .queued)
        stage.lose(2)
        #expect(stage.actions.last == .failRequest(request: 12, reason: .agentDisconnected))
    }

    @Test func `an agent that does not share takes over from all that do`() {
        var stage = PoolStage()
        _ = [stage.connect(1, isShared: true), stage.connect(2, isShared: true)]
        _ = [stage.park(100, by: 1), stage.park(200, by: 2)]
        #expect(stage.connect(3) == .serve)
        #expect(
            stage.actions == [
                .releaseIntake(intake: 100, reason: .superseded), .supersede(agent: 1),
                .releaseIntake(intake: 200, reason: .superseded), .supersede(agent: 2),
            ])
        #expect(stage.connect(4, isShared: true) == .serve)
        #expect(stage.actions == [.supersede(agent: 3)])
    }

    @Test func `no more agents share a tunnel than may`() {
        var stage = PoolStage { $0.sharingAgentsMax = 2 }
        _ = [stage.connect(1, isShared: true), stage.connect(2, isShared: true)]
        #expect(stage.connect(3, isShared: true) == .refuseTooManySharing)
        stage.lose(1)
        #expect(stage.connect(3, isShared: true) == .join)
    }

    @Test func `an agent that leaves gets no more work, keeps what it has, and is told when nothing more can come`() {
        var stage = PoolStage()
        _ = [stage.connect(1, isShared: true), stage.connect(2, isShared: true)]
        _ = [stage.park(100, by: 1), stage.park(101, by: 1), stage.park(200, by: 2)]
        #expect(stage.arrive(10) == .hand(intake: 100))
        stage.leave(1)
        #expect(stage.actions == [.releaseIntake(intake: 101, reason: .idle)])
        #expect(stage.pool.servingAgents == [2])
        #expect(stage.arrive(11) == .hand(intake: 200))
        #expect(stage.arrive(12) == .queued)
        #expect(stage.reply(10) == .accept)
        stage.lose(1)
        #expect(stage.actions == [])
        #expect(stage.park(201, by: 2) == .hand(request: 12))
    }

    @Test func `when the last agent leaves, requests wait for the next one, which takes nothing over`() {
        var stage = PoolStage { $0.supersedesMax = 0 }
        _ = [stage.connect(1), stage.park(100)]
        stage.leave(1)
        #expect(stage.actions == [.releaseIntake(intake: 100, reason: .idle)])
        #expect(stage.arrive(10) == .queued)
        #expect(stage.connect(2) == .serve)
        #expect(stage.actions == [])
        #expect(stage.park(200, by: 2) == .hand(request: 10))
    }

    /// Who has been asked to serve alone and who beside others: the last hello decides.
    @Test(
        arguments: [
            (true, true, [1, 2], false), (true, false, [2], true), (false, true, [2], true), (false, false, [2], true),
        ] as [(Bool, Bool, [UInt64], Bool)])
    func `two agents serve side by side only when both ask for it`(
        first: Bool, second: Bool, serving: [UInt64], isSuperseded: Bool
    ) {
        var stage = PoolStage()
        _ = stage.connect(1, isShared: first)
        _ = stage.connect(2, isShared: second)
        #expect(stage.pool.servingAgents == serving)
        #expect(stage.actions == (isSuperseded ? [.supersede(agent: 1)] : []))
    }
}
