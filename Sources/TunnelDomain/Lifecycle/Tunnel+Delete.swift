// Deleting, restoring, and deleting for good. Each transition has its own answer and its own errors, so that a caller can
// handle every outcome and no impossible one.

extension Tunnel {
    /// Starts the grace window, or does nothing when it already runs.
    ///
    /// An identity's tunnel goes with its identity, see ``finalize(at:)``.
    public mutating func delete(at now: Timestamp) throws(TunnelDeleteError) -> TunnelDeleteAnswer {
        if let deadline = restoreDeadline(at: now) { return .alreadyPending(restoreDeadline: deadline) }
        guard status(at: now) != .deleted else { throw .deleted }
        guard identityID == nil else { throw .belongsToIdentity }
        let deadline = now + Self.graceWindow
        change(to: .deletePending(restoreDeadline: deadline), at: now)
        return .pending(restoreDeadline: deadline)
    }

    /// Brings a tunnel back within its grace window: an edge tunnel as active; a passthrough tunnel as active when its
    /// certificate is still valid, and otherwise as waiting for one.
    public mutating func restore(at now: Timestamp) throws(TunnelNotPendingError) -> TunnelRestoreAnswer {
        try requirePending(at: now)
        let isServable = tlsMode == .edge || certificate?.validity.isValid(at: now) == true
        change(to: isServable ? .active : .awaitingCert, at: now)
        return isServable ? .active : .awaitingCert
    }

    /// Ends the grace window at once; the name is free. Who may ask for it is for ``Permission`` to say.
    public mutating func forceDelete(at now: Timestamp) throws(TunnelNotPendingError) {
        try requirePending(at: now)
        change(to: .deleted, at: now)
    }

    /// Deletes for good from whatever state, as the deletion of the tunnel's identity does.
    public mutating func finalize(at now: Timestamp) -> TunnelFinalizeAnswer {
        guard status(at: now) != .deleted else { return .alreadyDeleted }
        change(to: .deleted, at: now)
        return .deleted
    }

    /// Writes down a deletion that time has completed. Nobody can observe the difference but the store.
    public mutating func sweep(at now: Timestamp) -> TunnelSweepAnswer {
        switch state {
        case .awaitingCert, .active: return .nothingToDo
        case .deleted: return .nothingToDo
        case .deletePending(let deadline):
            guard now >= deadline else { return .notBefore(deadline) }
            change(to: .deleted, at: deadline)
            return .deleted
        }
    }

    private func requirePending(at now: Timestamp) throws(TunnelNotPendingError) {
        let status = status(at: now)
        guard status == .deletePending else { throw TunnelNotPendingError(status: status) }
    }
}

/// What a deletion did.
public enum TunnelDeleteAnswer: Hashable, Sendable {
    /// The grace window has begun.
    case pending(restoreDeadline: Timestamp)
    /// It was running already, and its end has not moved.
    case alreadyPending(restoreDeadline: Timestamp)
}

/// Why a tunnel cannot be deleted.
public enum TunnelDeleteError: Error, Hashable, Sendable {
    /// It is gone (404).
    case deleted
    /// It goes when its identity is deleted (409).
    case belongsToIdentity
}

/// What a restored tunnel is.
public enum TunnelRestoreAnswer: Hashable, Sendable { case active, awaitingCert }

/// Restoring and forcing need a tunnel in its grace window, and this one is not (409).
public struct TunnelNotPendingError: Error, Hashable, Sendable {
    /// What the tunnel is instead; `deleted` also when the window has passed.
    public let status: TunnelStatus
}

/// What finalizing did.
public enum TunnelFinalizeAnswer: Hashable, Sendable { case deleted, alreadyDeleted }

/// What a sweep found.
public enum TunnelSweepAnswer: Hashable, Sendable {
    /// The deadline had passed; the record says so now.
    case deleted
    /// The grace window ends then.
    case notBefore(Timestamp)
    /// The tunnel lives, or the record already says deleted.
    case nothingToDo
}
