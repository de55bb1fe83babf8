internal import Testing

/// Reads an event stream step by step, and keeps what it has seen for the failure message.
struct EventReader<Event: Sendable & Equatable> {
    private var iterator: any AsyncIteratorProtocol<Event, Never>
    private(set) var seen: [Event] = []

    init(_ events: some AsyncSequence<Event, Never>) { iterator = events.makeAsyncIterator() }

    /// The next event that the closure makes something of; the others are passed over.
    mutating func next<Value>(_ pick: (Event) -> Value?) async throws -> Value {
        while let event = await iterator.next(isolation: #isolation) {
            seen.append(event)
            if let value = pick(event) { return value }
        }
        throw Ended(seen: "\(seen)")
    }

    /// Waits for this very event.
    mutating func wait(for expected: Event) async throws { try await next { $0 == expected ? () : nil } }

    struct Ended: Error { var seen: String }
}
