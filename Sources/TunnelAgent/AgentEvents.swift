internal import Synchronization

/// An agent's events, in order, one at a time or as many as there are.
public struct AgentEvents: AsyncSequence, Sendable {
    fileprivate let mailbox: AgentMailbox
    fileprivate let arrivals: AsyncStream<Void>

    /// Waits for events and takes all that have gathered; nil after the last. Cheaper than one at a time for a reader that
    /// writes them down.
    public func nextBatch(isolation: isolated (any Actor)? = #isolation) async -> [AgentEvent]? {
        var arrival = arrivals.makeAsyncIterator()
        while true {
            let batch = mailbox.takeAll()
            guard batch.isEmpty else { return batch }
            guard await arrival.next(isolation: isolation) != nil else {
                let last = mailbox.takeAll()
                return last.isEmpty ? nil : last
            }
        }
    }

    /// Begins to read; one reader at a time gets the events.
    public func makeAsyncIterator() -> Iterator { Iterator(events: self) }

    /// Reads events one at a time.
    public struct Iterator: AsyncIteratorProtocol {
        fileprivate let events: AgentEvents
        private var batch: ArraySlice<AgentEvent> = []

        fileprivate init(events: AgentEvents) { self.events = events }

        /// Waits for the next event on the caller's actor; nil after the last.
        public mutating func next(isolation: isolated (any Actor)?) async -> AgentEvent? {
            if batch.isEmpty { batch = await events.nextBatch(isolation: isolation)?[...] ?? [] }
            return batch.popFirst()
        }

        /// Waits for the next event; nil after the last.
        public mutating func next() async -> AgentEvent? { await next(isolation: nil) }
    }
}

/// Where the agent puts its events: a reader is woken once for all that have gathered.
struct AgentOutbox: Sendable {
    let events: AgentEvents
    private let bell: AsyncStream<Void>.Continuation

    init(eventsBufferedMax: Int) {
        let (arrivals, bell) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        self.bell = bell
        events = AgentEvents(mailbox: AgentMailbox(countMax: eventsBufferedMax), arrivals: arrivals)
    }

    func put(_ batch: [AgentEvent]) {
        if events.mailbox.add(batch) { bell.yield() }
    }

    func finish() { bell.finish() }
}

/// Events that nobody has read yet; the oldest give way when there are too many.
private final class AgentMailbox: Sendable {
    private let waiting = Mutex<[AgentEvent]>([])
    private let countMax: Int

    init(countMax: Int) { self.countMax = countMax }

    /// True when there were none before.
    func add(_ batch: [AgentEvent]) -> Bool {
        waiting.withLock { waiting in
            let wasEmpty = waiting.isEmpty
            waiting += batch
            if waiting.count > countMax { waiting.removeFirst(waiting.count - countMax) }
            return wasEmpty
        }
    }

    func takeAll() -> [AgentEvent] {
        waiting.withLock { waiting in
            let all = waiting
            waiting = []
            return all
        }
    }
}
