// The form in which stores keep a tunnel's state: a word and, while a deletion is pending, its deadline.

extension Tunnel {
    /// The state as a store keeps it, independent of the time.
    public struct StoredState: Hashable, Sendable {
        /// What was last written; a passed deadline may have made it out of date, see ``Tunnel/status(at:)``.
        public let status: TunnelStatus
        /// There exactly when the status is `delete_pending`.
        public let restoreDeadline: Timestamp?

        /// Takes a word and a deadline that belong together; otherwise nil.
        public init?(status: TunnelStatus, restoreDeadline: Timestamp?) {
            guard (status == .deletePending) == (restoreDeadline != nil) else { return nil }
            self.status = status
            self.restoreDeadline = restoreDeadline
        }

        /// Reads the word of a stored row; an unknown word, or one without its deadline, gives nil.
        public init?(text: String, restoreDeadline: Timestamp?) {
            guard let status = TunnelStatus(rawValue: text) else { return nil }
            self.init(status: status, restoreDeadline: restoreDeadline)
        }

        /// The word to store: a ``TunnelStatus`` raw value.
        public var text: String { status.rawValue }

        init(_ state: State) {
            switch state {
            case .awaitingCert: (status, restoreDeadline) = (.awaitingCert, nil)
            case .active: (status, restoreDeadline) = (.active, nil)
            case .deletePending(let deadline): (status, restoreDeadline) = (.deletePending, deadline)
            case .deleted: (status, restoreDeadline) = (.deleted, nil)
            }
        }

        var state: State {
            switch status {
            case .awaitingCert: return .awaitingCert
            case .active: return .active
            case .deleted: return .deleted
            case .deletePending:
                guard let restoreDeadline else { preconditionFailure("a pending deletion was made without its deadline") }
                return .deletePending(restoreDeadline: restoreDeadline)
            }
        }
    }

    /// The state to store.
    public var storedState: StoredState { StoredState(state) }

    /// Makes the record again from what a store kept; the fields are taken as they are.
    public init(
        restoring id: TunnelID, organizationID: OrganizationID, identityID: IdentityID?, name: TunnelName,
        description: String?, metadataJSON: String, tlsMode: TLSMode, state: StoredState, certificate: TunnelCertificate?,
        connectSecretHash: [UInt8]?, lastConnectedAt: Timestamp?, lastConnectedAddress: String?,
        lastDisconnectedAt: Timestamp?, createdAt: Timestamp, updatedAt: Timestamp
    ) {
        self.init(
            id: id, organizationID: organizationID, identityID: identityID, name: name, description: description,
            metadataJSON: metadataJSON, tlsMode: tlsMode, state: state.state, certificate: certificate,
            connectSecretHash: connectSecretHash, lastConnectedAt: lastConnectedAt, lastConnectedAddress: lastConnectedAddress,
            lastDisconnectedAt: lastDisconnectedAt, createdAt: createdAt, updatedAt: updatedAt)
    }
}
