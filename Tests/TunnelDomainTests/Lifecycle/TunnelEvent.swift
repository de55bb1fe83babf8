import TestSupport
import TunnelDomain

/// Everything that can happen to a tunnel, for tables and random runs.
enum TunnelEvent: Hashable, CaseIterable, Sendable {
    case delete, restore, forceDelete, finalize, sweep
    case sign, describe, rename, rotate, connect, disconnect

    /// Lets it happen, and tells in a word what came of it.
    func apply(to tunnel: inout Tunnel, at now: Timestamp) -> Outcome {
        do {
            switch self {
            case .delete:
                switch try tunnel.delete(at: now) {
                case .pending: return .done
                case .alreadyPending: return .nothing
                }
            case .restore:
                switch try tunnel.restore(at: now) {
                case .active: return .done
                case .awaitingCert: return .waits
                }
            case .forceDelete:
                try tunnel.forceDelete(at: now)
                return .done
            case .finalize:
                switch tunnel.finalize(at: now) {
                case .deleted: return .done
                case .alreadyDeleted: return .nothing
                }
            case .sweep:
                switch tunnel.sweep(at: now) {
                case .deleted: return .done
                case .notBefore, .nothingToDo: return .nothing
                }
            case .sign:
                switch try tunnel.certificateSigned(.ofDays(90, from: now), at: now) {
                case .activated: return .done
                case .renewed: return .renewed
                }
            case .describe:
                let text = tunnel.description == "one" ? "other" : "one"
                return try tunnel.update(description: .set(text), at: now) == .changed ? .done : .nothing
            case .rename:
                let name = try TunnelName(validating: tunnel.name.text == "renamed" ? "again" : "renamed")
                return try tunnel.rename(to: name, at: now) == .changed ? .done : .nothing
            case .rotate:
                try tunnel.rotateConnectSecret(to: [9, 9], at: now)
                return .done
            case .connect:
                tunnel.agentConnected(from: "192.0.2.7", at: now)
                return .done
            case .disconnect:
                tunnel.agentDisconnected(at: now)
                return .done
            }
        } catch let error as TunnelDeleteError {
            return error == .deleted ? .gone : .identity
        } catch let error as TunnelNotPendingError {
            return error.status == .deleted ? .gone : .conflict
        } catch let error as TunnelSigningError {
            return Outcome(error)
        } catch let error as TunnelUpdateError {
            return error == .deleted ? .gone : .conflict
        } catch let error as TunnelRotateError {
            return Outcome(error)
        } catch {
            return .unexpected
        }
    }

    enum Outcome: Hashable, Sendable {
        /// It happened; for a restoration and a first certificate, the tunnel is active.
        case done
        /// Restored, and now without a certificate.
        case waits
        case renewed
        /// Nothing was to do.
        case nothing
        /// Refused: the tunnel is deleted.
        case gone
        /// Refused: not in this state.
        case conflict
        /// Refused: the edge has its own certificate.
        case edge
        /// Refused: the tunnel belongs to an identity.
        case identity
        case unexpected

        init(_ error: TunnelSigningError) {
            switch error {
            case .deleted: self = .gone
            case .edgeTunnel: self = .edge
            case .deletePending: self = .conflict
            case .expiredCertificate: self = .unexpected
            }
        }

        init(_ error: TunnelRotateError) {
            switch error {
            case .deleted: self = .gone
            case .belongsToIdentity: self = .identity
            case .deletePending: self = .conflict
            }
        }
    }
}

extension TunnelCertificate {
    static func ofDays(_ days: Int64, from start: Timestamp) -> TunnelCertificate {
        TunnelCertificate(
            pem: "certificate\n", chainPEM: "chain\n", fingerprintSHA256: "00",
            validity: CertificateValidity(notBefore: start, notAfter: start + .days(days)))
    }
}

/// A tunnel as the documents describe it, written down as naively as possible: a word, a deadline, a certificate's end.
struct NaiveTunnel {
    var isEdge: Bool
    var hasIdentity: Bool
    var word: String
    var deadline: Timestamp?
    var certificateEnd: Timestamp?

    init(isEdge: Bool, hasIdentity: Bool) {
        self.isEdge = isEdge
        self.hasIdentity = hasIdentity
        word = isEdge ? "active" : "awaiting_cert"
    }

    mutating func apply(_ event: TunnelEvent, at now: Timestamp) -> TunnelEvent.Outcome {
        // Here a sweeper runs before every event, so the word is always true.
        if let deadline, deadline <= now { (word, self.deadline) = ("deleted", nil) }
        let isGone = word == "deleted"
        let isPending = word == "delete_pending"
        switch event {
        case .delete:
            if isGone { return .gone }
            if isPending { return .nothing }
            if hasIdentity { return .identity }
            (word, deadline) = ("delete_pending", now + .seconds(86_400))
            return .done
        case .restore:
            guard isPending else { return isGone ? .gone : .conflict }
            let isActive = isEdge || (certificateEnd.map { $0 >= now } ?? false)
            (word, deadline) = (isActive ? "active" : "awaiting_cert", nil)
            return isActive ? .done : .waits
        case .forceDelete:
            guard isPending else { return isGone ? .gone : .conflict }
            (word, deadline) = ("deleted", nil)
            return .done
        case .finalize:
            if isGone { return .nothing }
            (word, deadline) = ("deleted", nil)
            return .done
        case .sweep:
            return .nothing
        case .sign:
            if isGone { return .gone }
            if isEdge { return .edge }
            if isPending { return .conflict }
            let isFirst = word == "awaiting_cert"
            (word, certificateEnd) = ("active", now + .seconds(90 * 86_400))
            return isFirst ? .done : .renewed
        case .describe:
            return isGone ? .gone : isPending ? .conflict : .done
        case .rename:
            if isGone { return .gone }
            if isPending { return .conflict }
            (word, certificateEnd) = (isEdge ? "active" : "awaiting_cert", nil)
            return .done
        case .rotate:
            return isGone ? .gone : hasIdentity ? .identity : isPending ? .conflict : .done
        case .connect, .disconnect:
            return .done
        }
    }

    func status(at now: Timestamp) -> String {
        if let deadline, deadline <= now { return "deleted" }
        return word
    }
}
