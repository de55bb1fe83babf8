// What the shell learns from the pool: one type for each question, and the actions that time or a lost agent bring about.

extension IntakePool {
    /// What to do with an agent's hello.
    public enum ConnectDecision: Hashable, Sendable {
        /// The agent serves the tunnel from now on, alone: whoever did before is superseded.
        case serve
        /// The agent serves the tunnel beside others that share it.
        case join
        /// Agents keep evicting each other: answer 503 with this `Retry-After` and leave the present one alone.
        ///
        /// `isFirst` with the refusal that begins the time in which challengers are refused: it is the one to be put on record.
        case refuseTooManyTakeovers(retryAfter: Duration, isFirst: Bool)
        /// As many agents share the tunnel as may: answer 503, and leave them alone.
        case refuseTooManySharing
        /// The tunnel is closed: answer 403.
        case refuseClosed
    }

    /// What to do with an intake that an agent has opened.
    public enum ParkDecision: Hashable, Sendable {
        /// A request was waiting: send it.
        case hand(request: UInt64)
        /// Keep the stream open until an action names it.
        case hold
        /// Another agent serves the tunnel: end it with `inkbox-reason: intake-superseded`.
        case superseded
        /// The agent has parked as many as it said; the pool does not know this one. Keep it open or reset it, but do not
        /// answer: an instant error makes the SDKs park again without a pause.
        case overPoolSize
        /// The tunnel is closed; the connection is about to end.
        case closed
    }

    /// What to do with a third party's request.
    public enum ArrivalDecision: Hashable, Sendable {
        case hand(intake: UInt64)
        /// An action will name it, or ``IntakePool/intakeParked(_:by:at:)`` will hand it over.
        case queued
        case refuse(FailureReason)
    }

    /// What to do with a reply that an agent has begun.
    public enum ReplyDecision: Hashable, Sendable {
        /// Pass it on; ``IntakePool/replyFinished(_:)`` is due at its end.
        case accept
        /// No such request, or not one that an agent was given: 404.
        case unknown
        /// Its reply began earlier: 409.
        case alreadyAnswered
        /// The third party went away, or the deadline passed, or the agent's connection was lost: 410.
        case gone
    }

    /// Why a request gets no reply from an agent (data plane, section 5).
    public enum FailureReason: Hashable, Sendable, CaseIterable {
        /// No agent is connected: 502.
        case agentOffline
        /// No intake came free in time, or too many requests wait: 503.
        case agentBusy
        /// More requests come in a second than may: 429.
        case tooManyRequests
        /// The agent's connection was lost, or another agent took over: 502.
        case agentDisconnected
        /// The agent did not answer in time: 504.
        case responseDeadlineExceeded
        /// The tunnel was deleted: 404.
        case tunnelInactive
    }

    /// Why a parked intake ends without a request.
    public enum ReleaseReason: Hashable, Sendable, CaseIterable {
        /// It was parked long enough: answer 204, and the agent parks again.
        case idle
        /// Another agent took over: end it with `inkbox-reason: intake-superseded`.
        case superseded
        /// The tunnel is closed.
        case closed
    }

    /// Something for the shell to do, in the order in which it was decided.
    public enum Action: Hashable, Sendable {
        /// Send this agent GOAWAY with the code for being superseded.
        case supersede(agent: UInt64)
        case releaseIntake(intake: UInt64, reason: ReleaseReason)
        /// Answer the third party; the request is over.
        case failRequest(request: UInt64, reason: FailureReason)
        /// Send the request to the intake; both stop waiting.
        case hand(request: UInt64, intake: UInt64)
    }
}
