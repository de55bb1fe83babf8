package import TunnelDomain

/// What a use case decided in its transaction, and what has to be told once it is committed.
package struct Change<Answer: Sendable>: Sendable {
    package let answer: Answer
    package let notices: [ServiceNotice]
    /// What goes to the event log in the same transaction, besides what the notices about tunnels say.
    package let events: [EventDraft]

    /// An answer, and any number of changes behind it.
    package init(_ answer: Answer, notices: [ServiceNotice] = [], events: [EventDraft] = []) {
        self.answer = answer
        self.notices = notices
        self.events = events
    }

    package init(_ answer: Answer, _ tunnel: Tunnel, _ change: TunnelChange) {
        self.init(answer, notices: [.tunnelChanged(tunnel, change)])
    }

    /// Everything that goes to the event log.
    var allEvents: [EventDraft] { notices.compactMap(EventDraft.init) + events }

    /// The same change with another answer.
    package func map<Other: Sendable>(_ transform: (Answer) throws -> Other) rethrows -> Change<Other> {
        Change<Other>(try transform(answer), notices: notices, events: events)
    }
}

/// What the rest of the process must know of a change before the caller hears of it.
package enum ServiceNotice: Sendable, Hashable {
    /// A tunnel as it is after a change.
    case tunnelChanged(Tunnel, TunnelChange)
    /// A key counts no more: agents' connections that were opened with it end.
    case keyEnded(UUIDValue)
}

extension ServicePorts {
    /// Decides in one transaction, and tells the listeners after it is on disk, before the caller hears of it.
    ///
    /// The body throws a `Refusal` only before it has written anything: a refusal may be kept for replay.
    package func commit<Answer: Sendable>(
        _ decide: @Sendable (any StoreWriting, Timestamp) throws -> Change<Answer>
    ) async throws -> Answer {
        let ticket = NoticeTicket(of: noticeOrder)
        do {
            let change = try await store.write { store in
                let now = clock.now
                let change = try decide(store, now)
                try EventLog(ports: self).append(change.allEvents, in: store, at: now)
                if !change.notices.isEmpty { ticket.draw() }
                return change
            }
            await ticket.inTurn {
                for notice in change.notices { await tell(notice) }
            }
            feed.announce(Set(change.allEvents.map(\.organizationID)))
            return change.answer
        } catch {
            // The commit itself may have failed after the ticket was drawn.
            await ticket.inTurn {}
            throw error
        }
    }

    private func tell(_ notice: ServiceNotice) async {
        switch notice {
        case .tunnelChanged(let tunnel, let change): await events.tunnelChanged(tunnel, change)
        case .keyEnded(let id):
            await events.keyEnded(id)
            feed.announceCredentials()
        }
    }

    /// Reads in one transaction.
    package func look<Answer: Sendable>(
        _ body: @Sendable (any StoreReading, Timestamp) throws -> Answer
    ) async throws -> Answer {
        try await store.read { try body($0, clock.now) }
    }
}
