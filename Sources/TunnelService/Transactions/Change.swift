package import TunnelDomain

/// What a use case decided in its transaction, and what has to be told once it is committed.
package struct Change<Answer: Sendable>: Sendable {
    package let answer: Answer
    package let notices: [TunnelNotice]

    /// An answer, and any number of changes behind it.
    package init(_ answer: Answer, notices: [TunnelNotice] = []) {
        self.answer = answer
        self.notices = notices
    }

    package init(_ answer: Answer, _ tunnel: Tunnel, _ change: TunnelChange) {
        self.init(answer, notices: [TunnelNotice(tunnel: tunnel, change: change)])
    }

    /// The same change with another answer.
    package func map<Other: Sendable>(_ transform: (Answer) throws -> Other) rethrows -> Change<Other> {
        Change<Other>(try transform(answer), notices: notices)
    }
}

/// A tunnel as it is after a change.
package struct TunnelNotice: Sendable, Hashable {
    package let tunnel: Tunnel
    package let change: TunnelChange

    package init(tunnel: Tunnel, change: TunnelChange) {
        self.tunnel = tunnel
        self.change = change
    }
}

extension ServicePorts {
    /// Decides in one transaction, and tells the events after it is on disk, before the caller hears of it.
    ///
    /// The body throws a `Refusal` only before it has written anything: a refusal may be kept for replay.
    package func commit<Answer: Sendable>(
        _ decide: @Sendable (any StoreWriting, Timestamp) throws -> Change<Answer>
    ) async throws -> Answer {
        let ticket = NoticeTicket(of: noticeOrder)
        do {
            let change = try await store.write { store in
                let change = try decide(store, clock.now)
                if !change.notices.isEmpty { ticket.draw() }
                return change
            }
            await ticket.inTurn {
                for notice in change.notices { await events.tunnelChanged(notice.tunnel, notice.change) }
            }
            return change.answer
        } catch {
            // The commit itself may have failed after the ticket was drawn.
            await ticket.inTurn {}
            throw error
        }
    }

    /// Reads in one transaction.
    package func look<Answer: Sendable>(
        _ body: @Sendable (any StoreReading, Timestamp) throws -> Answer
    ) async throws -> Answer {
        try await store.read { try body($0, clock.now) }
    }
}
