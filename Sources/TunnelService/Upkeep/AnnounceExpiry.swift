internal import TunnelDomain

/// Tells of certificates whose renewal is due and was not made: once of each.
package struct AnnounceExpiry: Sendable {
    /// So many are told of in one transaction.
    package static let batchCountMax = 100

    private let ports: ServicePorts

    package init(ports: ServicePorts) { self.ports = ports }

    /// Tells of all that are due, and says how many there were.
    @discardableResult
    package func callAsFunction() async throws -> Int {
        var total = 0
        while true {
            let due = try await ports.look { store, now in
                try store.expiryWatches(dueUpTo: now, limit: Self.batchCountMax).count
            }
            if due == 0 { return total }
            total += try await ports.commit { store, now in try announce(in: store, at: now) }
        }
    }

    private func announce(in store: any StoreWriting, at now: Timestamp) throws -> Change<Int> {
        var events: [EventDraft] = []
        for id in try store.expiryWatches(dueUpTo: now, limit: Self.batchCountMax) {
            guard let tunnel = try store.tunnel(id), let certificate = tunnel.certificate else {
                try store.endExpiryWatch(of: id)
                continue
            }
            switch tunnel.status(at: now) {
            case .active, .awaitingCert:
                try store.endExpiryWatch(of: id)
                events.append(EventDraft(expiryOf: certificate, tunnel))
            case .deletePending:
                // Only if it is restored does anybody need a certificate.
                try store.watchExpiry(of: id, from: tunnel.restoreDeadline(at: now) ?? now + Tunnel.graceWindow)
            case .deleted:
                try store.endExpiryWatch(of: id)
            }
        }
        return Change(events.count, events: events)
    }
}

extension EventDraft {
    fileprivate init(expiryOf certificate: TunnelCertificate, _ tunnel: Tunnel) {
        self.init(
            .certExpiring, tunnel,
            adding: [
                Member("cert_fingerprint_sha256", certificate.fingerprintSHA256),
                Member("cert_expires_at", certificate.validity.notAfter.iso8601),
            ])
    }
}
