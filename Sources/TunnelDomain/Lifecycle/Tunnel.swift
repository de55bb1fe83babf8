/// A tunnel's whole record, and the rules by which it changes.
///
/// The record is a value: a use case reads it, applies one transition, and stores the result. What a tunnel *is* depends on
/// the record and on the time, see ``status(at:)``: nobody has to sweep for a deletion to be complete.
/// Rules: the control plane's section 3 and the documents that it is made from.
public struct Tunnel: Hashable, Sendable {
    /// How long a deleted tunnel can be restored.
    public static let graceWindow: Duration = .hours(24)
    /// The most Unicode scalars of a description.
    public static let descriptionScalarCountMax = 1000
    /// The most bytes of the metadata, serialized as JSON in UTF-8.
    public static let metadataByteCountMax = 4096
    /// Metadata with nothing in it.
    public static let emptyMetadataJSON = "{}"

    public let id: TunnelID
    public let organizationID: OrganizationID
    /// The identity that the tunnel belongs to, or nil for one that stands alone.
    public let identityID: IdentityID?
    /// Changes only with the handle of the tunnel's identity.
    public internal(set) var name: TunnelName
    public internal(set) var description: String?
    /// A JSON object as text; the domain bounds it and leaves its syntax to whoever parsed it.
    public internal(set) var metadataJSON: String
    public let tlsMode: TLSMode
    var state: State
    /// The certificate on file; only passthrough tunnels have one, and an expired one stays, unless the tunnel is renamed.
    public internal(set) var certificate: TunnelCertificate?
    /// The hash of the connect secret; an identity's tunnel has none.
    public internal(set) var connectSecretHash: [UInt8]?
    public internal(set) var lastConnectedAt: Timestamp?
    /// The IP address of the most recent agent, without port.
    public internal(set) var lastConnectedAddress: String?
    public internal(set) var lastDisconnectedAt: Timestamp?
    public let createdAt: Timestamp
    public internal(set) var updatedAt: Timestamp

    /// What the record says; `deletePending` becomes `deleted` by the passing of time alone.
    enum State: Hashable {
        /// Becomes active with its first certificate, or is deleted.
        case awaitingCert
        /// Renews its certificate, waits for another one under a new name, or is deleted.
        case active
        /// Restored to one of the above until the deadline, deleted after it.
        case deletePending(restoreDeadline: Timestamp)
        /// Final.
        case deleted
    }
}

// MARK: - What it is at a moment

extension Tunnel {
    /// The tunnel's state at a moment. A passed restore deadline *is* a deletion, whether or not a sweeper has run.
    public func status(at now: Timestamp) -> TunnelStatus {
        switch state {
        case .awaitingCert: .awaitingCert
        case .active: .active
        case .deletePending(let deadline): now < deadline ? .deletePending : .deleted
        case .deleted: .deleted
        }
    }

    /// Until when the tunnel can be restored; nil unless it is `delete_pending` at the moment.
    public func restoreDeadline(at now: Timestamp) -> Timestamp? {
        switch state {
        case .deletePending(let deadline): now < deadline ? deadline : nil
        case .awaitingCert, .active, .deleted: nil
        }
    }

    /// Whether the tunnel's name is taken: until the tunnel is deleted for good.
    public func holdsName(at now: Timestamp) -> Bool { status(at: now) != .deleted }

    /// Whether third parties may be served. An expired certificate does not matter here: the agent presents it, not the edge.
    public func canServe(at now: Timestamp) -> Bool { status(at: now) == .active }

    /// Whether an agent's hello may be accepted: an edge tunnel must be active; a passthrough tunnel may still wait for its
    /// certificate (data plane, section 2).
    public func helloAllowed(at now: Timestamp) -> Bool {
        switch status(at: now) {
        case .active: true
        case .awaitingCert: tlsMode == .passthrough
        case .deletePending, .deleted: false
        }
    }

    /// Whether the hash is that of the tunnel's connect secret, in constant time; false when the tunnel has none.
    public func acceptsConnectSecret(hash: [UInt8]) -> Bool {
        guard let connectSecretHash else { return false }
        return constantTimeEquals(hash, connectSecretHash)
    }
}
