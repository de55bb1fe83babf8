/// Who may do what, as one table: see ``decide(_:_:on:)``.
public enum Permission {}

/// What the asker is told.
public enum PermissionDecision: Hashable, Sendable {
    case allow
    /// Known, but not allowed, whatever the resource: 403.
    case forbid
    /// As if there were no such resource: 404.
    case hide
}

extension Permission {
    /// How far an action reaches for one kind of principal.
    enum Reach: Hashable {
        /// Never, whatever the resource. The answer is 403 and says nothing about what exists.
        case never
        /// What belongs to the principal's own identity or tunnel; everything else is hidden.
        case own
        /// Everything of the organization.
        case organization
        /// Everything of the organization, with a scope.
        case scope(Scope)
    }

    struct Row: Hashable {
        var adminKey: Reach
        var identityKey: Reach
        var app: Reach
        var connectSecret: Reach
        /// What a key needs that is narrowed to scopes; nil for what every key may.
        var keyScope: KeyScope?

        init(
            _ adminKey: Reach, _ identityKey: Reach, _ app: Reach, _ connectSecret: Reach, _ keyScope: KeyScope?
        ) {
            self.adminKey = adminKey
            self.identityKey = identityKey
            self.app = app
            self.connectSecret = connectSecret
            self.keyScope = keyScope
        }
    }

    /// The table. Columns: admin key, identity's key, app, connect secret; and the scope that a narrowed key needs.
    static func row(of action: Action) -> Row {
        switch action {
        case .createTunnel: Row(.organization, .never, .scope(.writeTunnels), .never, .writeTunnels)
        case .listTunnels: Row(.organization, .own, .scope(.readTunnels), .never, .readTunnels)
        case .readTunnel: Row(.organization, .own, .scope(.readTunnels), .never, .readTunnels)
        case .updateTunnel: Row(.organization, .own, .scope(.writeTunnels), .never, .writeTunnels)
        case .deleteTunnel: Row(.organization, .own, .scope(.writeTunnels), .never, .writeTunnels)
        case .restoreTunnel: Row(.organization, .own, .scope(.writeTunnels), .never, .writeTunnels)
        case .forceDeleteTunnel: Row(.organization, .never, .never, .never, .writeTunnels)
        case .rotateConnectSecret: Row(.organization, .own, .scope(.rotateSecrets), .never, .rotateSecrets)
        case .signCertificate: Row(.organization, .own, .scope(.writeTunnels), .never, .writeTunnels)
        case .createIdentity: Row(.organization, .never, .never, .never, .writeIdentities)
        case .listIdentities: Row(.organization, .own, .scope(.readTunnels), .never, .readTunnels)
        case .readIdentity: Row(.organization, .own, .scope(.readTunnels), .never, .readTunnels)
        case .updateIdentity: Row(.organization, .own, .never, .never, .writeIdentities)
        case .deleteIdentity: Row(.organization, .never, .never, .never, .writeIdentities)
        case .rotateSigningKey: Row(.organization, .own, .never, .never, .rotateSecrets)
        case .readSigningKey: Row(.organization, .own, .never, .never, .readTunnels)
        case .createIdentityKey: Row(.organization, .never, .never, .never, .writeKeys)
        // Admin keys are minted on the service's own machine, never over the API.
        case .createAdminKey: Row(.never, .never, .never, .never, .writeKeys)
        case .listKeys: Row(.organization, .never, .never, .never, .readKeys)
        case .revokeKey: Row(.organization, .never, .never, .never, .writeKeys)
        case .rotateKey: Row(.organization, .never, .never, .never, .writeKeys)
        // The rotation secret is what allows it; the new key is narrowed as the old one is.
        case .rotateOwnKey: Row(.never, .own, .never, .never, nil)
        case .askWhoAmI: Row(.organization, .own, .organization, .never, nil)
        case .createApp: Row(.organization, .never, .never, .never, .writeApps)
        case .readApps: Row(.organization, .never, .never, .never, .readApps)
        case .deleteApp: Row(.organization, .never, .never, .never, .writeApps)
        case .rotateClientSecret: Row(.organization, .never, .never, .never, .writeApps)
        case .readAudit: Row(.organization, .never, .scope(.readAudit), .never, .readAudit)
        case .readEvents: Row(.organization, .never, .scope(.readEvents), .never, .readEvents)
        case .readWebhooks: Row(.organization, .never, .never, .never, .readWebhooks)
        case .writeWebhooks: Row(.organization, .never, .never, .never, .writeWebhooks)
        case .connectAgent: Row(.organization, .own, .never, .own, .connectAgents)
        }
    }
}

// MARK: - Deciding

extension Permission {
    /// Decides before anything is looked up: a principal who may never do it gets the same 403 for every resource, so that
    /// the answer tells nothing about what exists. For collections this is the whole decision; what a list may show is for
    /// ``decide(_:_:on:)`` to say of each item.
    ///
    /// - Returns: `allow` or `forbid`.
    public static func decide(_ principal: Principal, _ action: Action) -> PermissionDecision {
        guard principal.bounds.scopes?.permits(action) ?? true else { return .forbid }
        return switch reach(of: action, for: principal.kind) {
        case .never: .forbid
        case .own, .organization: .allow
        case .scope(let scope): holds(scope, principal.kind) ? .allow : .forbid
        }
    }

    /// Decides about one resource.
    public static func decide(
        _ principal: Principal, _ action: Action, on resource: Resource
    ) -> PermissionDecision {
        if let scopes = principal.bounds.scopes {
            guard scopes.permits(action) else { return .forbid }
            guard reach(of: action, for: principal.kind) == .never || scopes.reaches(resource, by: action) else { return .hide }
        }
        switch reach(of: action, for: principal.kind) {
        case .never: return .forbid
        case .own: return principal.organizationID == resource.organizationID && owns(principal.kind, resource) ? .allow : .hide
        case .organization: return principal.organizationID == resource.organizationID ? .allow : .hide
        case .scope(let scope):
            guard holds(scope, principal.kind) else { return .forbid }
            return principal.organizationID == resource.organizationID ? .allow : .hide
        }
    }

    /// The scope that a narrowed key needs for an act; nil for what every key may that its owner may.
    public static func keyScope(of action: Action) -> KeyScope? { row(of: action).keyScope }

    /// The scope for want of which an act is forbidden, as it is written; nil when no scope would help.
    public static func missingScope(_ principal: Principal, _ action: Action) -> String? {
        switch reach(of: action, for: principal.kind) {
        case .never: return nil
        case .scope(let scope) where !holds(scope, principal.kind): return scope.rawValue
        case .own, .organization, .scope:
            let isPermitted = principal.bounds.scopes?.permits(action) ?? true
            return isPermitted ? nil : keyScope(of: action)?.rawValue
        }
    }

    /// The scopes that mean something for a key of one identity, in a fixed order.
    public static let identityKeyScopes: [KeyScope] = {
        let used = Set(Action.allCases.filter { row(of: $0).identityKey != .never }.compactMap { keyScope(of: $0) })
        return KeyScope.allCases.filter { used.contains($0) }
    }()

    private static func reach(of action: Action, for kind: Principal.Kind) -> Reach {
        let row = row(of: action)
        return switch kind {
        case .adminKey: row.adminKey
        case .identityKey: row.identityKey
        case .app: row.app
        case .connectSecret: row.connectSecret
        }
    }

    private static func owns(_ kind: Principal.Kind, _ resource: Resource) -> Bool {
        switch kind {
        case .identityKey(let identityID): resource.identityID == identityID
        case .connectSecret(let tunnelID): resource.tunnelID == tunnelID
        case .adminKey, .app: false
        }
    }

    private static func holds(_ scope: Scope, _ kind: Principal.Kind) -> Bool {
        switch kind {
        case .app(let scopes): scopes.contains(scope)
        case .adminKey, .identityKey, .connectSecret: false
        }
    }
}
