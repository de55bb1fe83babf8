extension IntakePool {
    /// The bounds of one tunnel's pool (data plane, sections 8 and 9).
    public struct Limits: Hashable, Sendable {
        /// The most requests that wait for an intake; 0 refuses at once whoever finds none.
        public var queueMax = 128
        /// The most requests in a second, and at once; more are refused. One of ``RequestPace/ratesPerSecond``.
        public var requestsPerSecondMax = 50_000
        /// How long a request waits for an intake.
        public var queueWait: Duration = .seconds(5)
        /// How long after it was handed over a request waits for the head of its reply.
        public var responseDeadline: Duration = .seconds(60)
        /// How long an intake is parked before it is answered 204.
        public var intakeIdle: Duration = .seconds(60)
        /// The most intakes that one agent parks, whatever it asks for.
        public var poolSizeMax = 32
        /// The most agents that share one tunnel.
        public var sharingAgentsMax = 16
        /// The most takeovers within ``supersedeWindow``.
        public var supersedesMax = 5
        /// The window in which takeovers are counted.
        public var supersedeWindow: Duration = .seconds(60)
        /// For how long challengers are refused after too many takeovers.
        public var supersedeHold: Duration = .seconds(30)
        /// The most requests that are remembered as gone, so that a late reply gets 410 and not 404.
        public var goneMemoryMax = 256
        /// The most requests that are remembered as answered, so that a second reply gets 409 and not 404.
        public var answeredMemoryMax = 64
        /// How long either is remembered.
        public var memoryTime: Duration = .seconds(120)

        /// The defaults of the data plane's section 9.
        public init() {}
    }
}
