extension Tunnel {
    /// Changes description and metadata; what is kept stays as it was.
    public mutating func update(
        description newDescription: FieldChange<String> = .keep, metadataJSON newMetadata: FieldChange<String> = .keep,
        at now: Timestamp
    ) throws(TunnelUpdateError) -> TunnelUpdateAnswer {
        try requireLiving(at: now)
        let description = newDescription.applied(to: description)
        let metadataJSON = newMetadata.applied(to: metadataJSON) ?? Self.emptyMetadataJSON
        do throws(TunnelFieldError) {
            try Self.check(description: description)
            try Self.check(metadataJSON: metadataJSON)
        } catch {
            throw .field(error)
        }
        guard (description, metadataJSON) != (self.description, self.metadataJSON) else { return .unchanged }
        self.description = description
        self.metadataJSON = metadataJSON
        touch(at: now)
        return .changed
    }

    /// Takes a new name together with its identity's handle; the old host stops, the agent stays connected.
    ///
    /// A passthrough tunnel's certificate names the old host only, so the tunnel waits for one that names the new host.
    public mutating func rename(to newName: TunnelName, at now: Timestamp) throws(TunnelUpdateError) -> TunnelUpdateAnswer {
        try requireLiving(at: now)
        guard newName != name else { return .unchanged }
        name = newName
        certificate = nil
        change(to: tlsMode == .edge ? .active : .awaitingCert, at: now)
        return .changed
    }

    /// Replaces the connect secret; the old one is refused at the next hello, live connections stay.
    public mutating func rotateConnectSecret(to hash: [UInt8], at now: Timestamp) throws(TunnelRotateError) {
        let status = status(at: now)
        guard status != .deleted else { throw .deleted }
        guard connectSecretHash != nil else { throw .belongsToIdentity }
        guard status != .deletePending else { throw .deletePending }
        connectSecretHash = hash
        touch(at: now)
    }

    /// Remembers an agent's hello; not a change of the record that `updatedAt` would tell.
    public mutating func agentConnected(from address: String, at now: Timestamp) {
        lastConnectedAt = now
        lastConnectedAddress = address
    }

    /// Remembers that the tunnel's last agent went away.
    public mutating func agentDisconnected(at now: Timestamp) {
        lastDisconnectedAt = now
    }

    private func requireLiving(at now: Timestamp) throws(TunnelUpdateError) {
        switch status(at: now) {
        case .awaitingCert, .active: return
        case .deletePending: throw .deletePending
        case .deleted: throw .deleted
        }
    }

    mutating func change(to newState: State, at now: Timestamp) {
        state = newState
        touch(at: now)
    }

    // A clock set back must not make a record look older than its last change.
    func later(_ now: Timestamp) -> Timestamp { max(now, updatedAt) }
    mutating func touch(at now: Timestamp) { updatedAt = later(now) }
}

/// What a request says about a field: nothing, null, or a value.
public enum FieldChange<Value: Hashable & Sendable>: Hashable, Sendable {
    case keep, clear
    case set(Value)

    /// The field's value afterwards.
    public func applied(to old: Value?) -> Value? {
        switch self {
        case .keep: old
        case .clear: nil
        case .set(let new): new
        }
    }
}

/// Whether an update changed anything; only a change needs to be stored and told.
public enum TunnelUpdateAnswer: Hashable, Sendable { case changed, unchanged }

/// Why a tunnel cannot be changed.
public enum TunnelUpdateError: Error, Hashable, Sendable {
    /// It is gone (404).
    case deleted
    /// It is being deleted (409).
    case deletePending
    /// A value is out of its bounds (422).
    case field(TunnelFieldError)
}

/// Why a connect secret cannot be rotated.
public enum TunnelRotateError: Error, Hashable, Sendable {
    /// The tunnel is gone (404).
    case deleted
    /// The tunnel is being deleted (409).
    case deletePending
    /// An identity's tunnel has no connect secret: its agent uses an API key (409).
    case belongsToIdentity
}
