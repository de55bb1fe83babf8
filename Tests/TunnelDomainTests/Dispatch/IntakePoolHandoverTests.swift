import Testing
import TunnelDomain

struct IntakePoolHandoverTests {
    private static func at(_ seconds: Int64) -> MonotonicInstant { MonotonicInstant(nanoseconds: seconds * 1_000_000_000) }

    @Test func `requests wait for an agent that is expected, and get it`() {
        var pool = IntakePool()
        var actions: [IntakePool.Action] = []
        pool.agentExpected(as: 0)
        #expect(pool.requestArrived(7, at: Self.at(1)) == .queued)
        #expect(pool.agentConnected(1, poolSize: 1, at: Self.at(2), into: &actions) == .serve)
        #expect(pool.intakeParked(5, by: 1, at: Self.at(2)) == .hand(request: 7))
        #expect(actions.isEmpty, "following an expected agent is no takeover")
    }

    @Test func `an expected agent that does not come fails what waits for it`() {
        var pool = IntakePool()
        var actions: [IntakePool.Action] = []
        pool.agentExpected(as: 0)
        _ = pool.requestArrived(7, at: Self.at(1))
        pool.agentLost(0, at: Self.at(2), into: &actions)
        #expect(actions == [.failRequest(request: 7, reason: .agentDisconnected)])
        #expect(pool.requestArrived(8, at: Self.at(3)) == .refuse(.agentOffline))
    }

    @Test func `nobody is expected where an agent serves or the tunnel is closed`() {
        var pool = IntakePool()
        var actions: [IntakePool.Action] = []
        _ = pool.agentConnected(1, poolSize: 1, at: Self.at(1), into: &actions)
        pool.agentExpected(as: 0)
        #expect(pool.servingAgents == [1])
        pool.close(at: Self.at(2), into: &actions)
        pool.agentExpected(as: 0)
        #expect(pool.requestArrived(7, at: Self.at(3)) == .refuse(.tunnelInactive))
    }

    @Test func `what an agent has that moved may be answered until its deadline`() {
        var pool = IntakePool()
        var actions: [IntakePool.Action] = []
        _ = pool.agentConnected(1, poolSize: 3, at: Self.at(1), into: &actions)
        for (intake, request) in [(UInt64(5), UInt64(7)), (6, 8)] {
            _ = pool.intakeParked(intake, by: 1, at: Self.at(1))
            _ = pool.requestArrived(request, at: Self.at(1))
        }
        pool.agentDraining(1)
        pool.agentMoved(1, at: Self.at(2))
        #expect(pool.replyArrived(7, at: Self.at(3)) == .accept)
        pool.advance(to: Self.at(62), into: &actions)
        #expect(actions == [.failRequest(request: 8, reason: .responseDeadlineExceeded)])
        #expect(pool.requestArrived(9, at: Self.at(63)) == .refuse(.agentOffline))
    }
}
