internal import Synchronization
package import TunnelDomain

/// Puts failed authentications on the record of whom they concern, without letting strangers fill the disk.
///
/// Only a credential that is known to have been somebody's, or an app's id with a wrong secret, belongs to an organization's
/// trail; what nobody has is on nobody's. Each credential gets one line a minute, which tells how many more there were since
/// the one before, and all credentials together get a bounded number.
package final class RecordAuthFailure: Sendable {
    /// Lines about one credential.
    package static let perCredential = RateLimit(limit: 1, window: .seconds(60), name: "auth-fail-lines")
    /// Lines in all.
    package static let inAll = RateLimit(limit: 60, window: .seconds(60), name: "auth-fail-lines")
    /// Credentials whose failures are counted while they get no line.
    package static let countedMax = 10_000

    package struct Failure: Sendable {
        package let organizationID: OrganizationID
        /// Whose credential it is or claims to be.
        package let actor: AuditActor
        package let reason: String
        package let ip: String
        package let requestID: String

        package init(organizationID: OrganizationID, actor: AuditActor, reason: String, ip: String, requestID: String) {
            self.organizationID = organizationID
            self.actor = actor
            self.reason = reason
            self.ip = ip
            self.requestID = requestID
        }
    }

    private struct State {
        var credentials = RequestMeter<AuditActor>(limit: perCredential, callerCountMax: countedMax)
        var all: LeakyBucket
        var uncounted: [AuditActor: Int] = [:]
    }

    private let ports: ServicePorts
    private let instant: @Sendable () -> MonotonicInstant
    private let state: Mutex<State>

    package init(ports: ServicePorts, instant: @escaping @Sendable () -> MonotonicInstant) {
        self.ports = ports
        self.instant = instant
        state = Mutex(State(all: LeakyBucket(at: instant())))
    }

    /// Writes a line if there is room for one; a store that takes no writes is no reason to fail.
    package func callAsFunction(_ failure: Failure) async {
        guard let earlierCount = claimLine(for: failure.actor) else { return }
        let trail = AuditTrail(ports: ports)
        _ = try? await ports.commit { store, now in
            try trail.append(
                AuditEntry(
                    id: trail.newID(), occurredAt: now, action: .authFail, organizationID: failure.organizationID,
                    actor: failure.actor, resourceType: failure.actor.kind == .app ? .app : .apiKey,
                    resourceID: failure.actor.id, ip: failure.ip, requestID: failure.requestID, outcome: .refused,
                    details: [
                        EventDraft.Member("reason", failure.reason), EventDraft.Member("more_since_last", "\(earlierCount)"),
                    ]),
                in: store)
            return Change(())
        }
    }

    /// How many failures got no line since the last one; nil when this one gets none either.
    private func claimLine(for actor: AuditActor) -> Int? {
        let now = instant()
        return state.withLock { state in
            let hasRoom =
                state.all.decision(at: now, Self.inAll).isAllowed && state.credentials.request(by: actor, at: now).isAllowed
            guard hasRoom else {
                if state.uncounted[actor] != nil || state.uncounted.count < Self.countedMax {
                    state.uncounted[actor, default: 0] += 1
                }
                return nil
            }
            _ = state.all.take(at: now, Self.inAll)
            return state.uncounted.removeValue(forKey: actor) ?? 0
        }
    }
}
