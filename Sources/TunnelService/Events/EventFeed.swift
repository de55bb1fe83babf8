internal import Synchronization
package import TunnelDomain

/// Wakes those who wait for an organization's events, after the commit that wrote them: nobody asks the store in vain.
package final class EventFeed: Sendable {
    private struct State {
        var bells: [OrganizationID: [ObjectIdentifier: EventBell]] = [:]
        /// Those who listen to all organizations.
        var common: [EventBell] = []
        var isClosed = false
    }

    private let state = Mutex(State())

    package init() {}

    /// Adds a listener to all organizations, for as long as the service runs.
    func joinAll() -> EventBell {
        let bell = EventBell()
        state.withLock { state in
            if state.isClosed { bell.close() }
            state.common.append(bell)
        }
        return bell
    }

    /// There is something to deliver beside new events.
    package func announceDeliveries() { for bell in state.withLock({ $0.common }) { bell.ring() } }

    /// Adds a listener; nil when the organization has as many as it may.
    package func join(_ organizationID: OrganizationID, countMax: Int = .max) -> EventBell? {
        let bell = EventBell()
        let isJoined = state.withLock { state in
            guard state.bells[organizationID]?.count ?? 0 < countMax else { return false }
            if state.isClosed { bell.close() }
            state.bells[organizationID, default: [:]][ObjectIdentifier(bell)] = bell
            return true
        }
        return isJoined ? bell : nil
    }

    package func leave(_ organizationID: OrganizationID, _ bell: EventBell) {
        state.withLock { state in
            state.bells[organizationID]?[ObjectIdentifier(bell)] = nil
            if state.bells[organizationID]?.isEmpty == true { state.bells[organizationID] = nil }
        }
    }

    /// The listeners of all organizations together.
    package var listenerCount: Int { state.withLock { $0.bells.values.reduce(0) { $0 + $1.count } } }

    /// There are new events of these organizations.
    func announce(_ organizationIDs: Set<OrganizationID>) {
        guard !organizationIDs.isEmpty else { return }
        for bell in bells(of: { organizationIDs.contains($0) }) { bell.ring() }
        announceDeliveries()
    }

    /// Credentials have changed: everybody who listens should look whether they still may.
    func announceCredentials() { for bell in bells(of: { _ in true }) { bell.ring() } }

    /// Ends every wait, now and later: the service is stopping.
    package func close() {
        state.withLock { $0.isClosed = true }
        for bell in bells(of: { _ in true }) { bell.close() }
    }

    private func bells(of isWanted: (OrganizationID) -> Bool) -> [EventBell] {
        state.withLock { $0.bells.filter { isWanted($0.key) }.values.flatMap(\.values) }
    }
}

/// One listener's bell. A ring while nobody waits is not lost: the next wait returns at once.
package final class EventBell: Sendable {
    package enum Ring: Sendable, Hashable {
        case news
        /// Nothing came for as long as was to be waited.
        case silence
        /// There will be no more.
        case closed
    }

    /// Returns after a duration, or throws when its task is cancelled.
    package typealias Pause = @Sendable (Duration) async throws -> Void

    fileprivate struct State {
        var isRung = false
        var isClosed = false
        var waitCount = 0
        /// The wait whose time has passed, perhaps before it began.
        var silentWait = 0
        var waiter: CheckedContinuation<Ring, Never>?
    }

    private let state = Mutex(State())

    package init() {}

    package func ring() {
        state.withLock { state in
            state.isRung = state.waiter == nil
            return state.takeWaiter()
        }?.resume(returning: .news)
    }

    package func close() {
        state.withLock { state in
            state.isClosed = true
            return state.takeWaiter()
        }?.resume(returning: .closed)
    }

    package var isClosed: Bool { state.withLock { $0.isClosed } }

    /// Waits for a ring; one listener waits at a time.
    package func wait(atMost silenceMax: Duration, pause: @escaping Pause) async -> Ring {
        let number = state.withLock { state in
            state.waitCount += 1
            return state.waitCount
        }
        let timer = Task {
            // A pause that is cut short has nothing to tell.
            if (try? await pause(silenceMax)) != nil { fallSilent(number) }
        }
        defer { timer.cancel() }
        return await withCheckedContinuation { continuation in
            let known: Ring? = state.withLock { state in
                if state.isClosed { return .closed }
                if state.isRung {
                    state.isRung = false
                    return .news
                }
                if state.silentWait == number { return .silence }
                state.waiter = continuation
                return nil
            }
            if let known { continuation.resume(returning: known) }
        }
    }

    private func fallSilent(_ number: Int) {
        let waiter: CheckedContinuation<Ring, Never>? = state.withLock { state in
            guard state.waitCount == number else { return nil }
            state.silentWait = number
            return state.takeWaiter()
        }
        waiter?.resume(returning: .silence)
    }
}

extension EventBell.State {
    fileprivate mutating func takeWaiter() -> CheckedContinuation<EventBell.Ring, Never>? {
        defer { waiter = nil }
        return waiter
    }
}
