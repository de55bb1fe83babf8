import TunnelDomain

/// A tunnel's pool with a clock and the actions of the last event.
struct PoolStage {
    var pool: IntakePool
    var now = MonotonicInstant(nanoseconds: 0)
    var actions: [IntakePool.Action] = []

    init(_ change: (inout IntakePool.Limits) -> Void = { _ in }) {
        var limits = IntakePool.Limits()
        change(&limits)
        pool = IntakePool(limits: limits)
    }

    mutating func connect(_ agent: UInt64, poolSize: Int = 8, isShared: Bool = false) -> IntakePool.ConnectDecision {
        actions = []
        return pool.agentConnected(agent, poolSize: poolSize, isShared: isShared, at: now, into: &actions)
    }

    mutating func park(_ intake: UInt64, by agent: UInt64 = 1) -> IntakePool.ParkDecision {
        pool.intakeParked(intake, by: agent, at: now)
    }

    mutating func arrive(_ request: UInt64) -> IntakePool.ArrivalDecision { pool.requestArrived(request, at: now) }
    mutating func reply(_ request: UInt64) -> IntakePool.ReplyDecision { pool.replyArrived(request, at: now) }

    mutating func lose(_ agent: UInt64) {
        actions = []
        pool.agentLost(agent, at: now, into: &actions)
    }

    mutating func leave(_ agent: UInt64) {
        actions = []
        pool.agentLeaving(agent, into: &actions)
    }

    mutating func pass(_ duration: Duration) {
        actions = []
        now = now + duration
        pool.advance(to: now, into: &actions)
    }

    mutating func close() {
        actions = []
        pool.close(at: now, into: &actions)
    }
}
