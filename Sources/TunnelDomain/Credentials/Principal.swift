/// What an app may be allowed, besides nothing (control plane, section 6).
public enum Scope: String, Hashable, Sendable, CaseIterable {
    case readTunnels = "tunnels:read"
    case writeTunnels = "tunnels:write"
    case rotateSecrets = "secrets:rotate"
    case readAudit = "audit:read"
    case readEvents = "events:read"
}

/// Who asks: the owner of a credential that was found and checked.
public struct Principal: Hashable, Sendable {
    /// What kind of credential it was.
    public enum Kind: Hashable, Sendable {
        /// A key for the whole organization.
        case adminKey
        /// A key of one identity.
        case identityKey(IdentityID)
        /// A machine client with what its scopes say.
        case app(Set<Scope>)
        /// The agent of one stand-alone tunnel.
        case connectSecret(TunnelID)
    }

    public let organizationID: OrganizationID
    public let kind: Kind
    /// What an API key is narrowed to within what its kind may.
    public let bounds: KeyBounds

    /// Takes the owner of a credential that has been checked; this type proves nothing by itself.
    public init(organizationID: OrganizationID, kind: Kind, bounds: KeyBounds = .none) {
        self.organizationID = organizationID
        self.kind = kind
        self.bounds = bounds
    }
}
