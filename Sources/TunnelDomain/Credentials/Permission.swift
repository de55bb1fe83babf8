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

        init(_ adminKey: Reach, _ identityKey: Reach, _ app: Reach, _ connectSecret: Reach) {
            self.adminKey = adminKey
            self.identityKey = identityKey
            self.app = app
            self.connectSecret = connectSecret
        }
    }

    /// The table. Columns: admin key, identity's key, app, connect secret.
    static func row(of action: Action) -> Row {
        switch action {
        case .createTunnel: Row(.organization, .never, .scope(.writeTunnels), .never)
        case .listTunnels: Row(.organization, .own, .scope(.readTunnels), .never)
        case .readTunnel: Row(.organization, .own, .scope(.readTunnels), .never)
        case .updateTunnel: Row(.organization, .own, .scope(.writeTunnels), .never)
        case .deleteTunnel: Row(.organization, .own, .scope(.writeTunnels), .never)
        case .restoreTunnel: Row(.organization, .own, .scope(.writeTunnels), .never)
        case .forceDeleteTunnel: Row(.organization, .never, .never, .never)
        case .rotateConnectSecret: Row(.organization, .own, .scope(.rotateSecrets), .never)
        case .signCertificate: Row(.organization, .own, .scope(.writeTunnels), .never)
        case .createIdentity: Row(.organization, .never, .never, .never)
        case .listIdentities: Row(.organization, .own, .scope(.readTunnels), .never)
        case .readIdentity: Row(.organization, .own, .scope(.readTunnels), .never)
        case .updateIdentity: Row(.organization, .own, .never, .never)
        case .deleteIdentity: Row(.organization, .never, .never, .never)
        case .rotateSigningKey: Row(.organization, .own, .never, .never)
        case .readSigningKey: Row(.organization, .own, .never, .never)
        case .createIdentityKey: Row(.organization, .never, .never, .never)
        // Admin keys are minted on the service's own machine, never over the API.
        case .createAdminKey: Row(.never, .never, .never, .never)
        case .listKeys: Row(.organization, .never, .never, .never)
        case .revokeKey: Row(.organization, .never, .never, .never)
        case .rotateOwnKey: Row(.never, .own, .never, .never)
        case .askWhoAmI: Row(.organization, .own, .organization, .never)
        case .createApp: Row(.organization, .never, .never, .never)
        case .readApps: Row(.organization, .never, .never, .never)
        case .deleteApp: Row(.organization, .never, .never, .never)
        case .rotateClientSecret: Row(.organization, .never, .never, .never)
        case .readAudit: Row(.organization, .never, .scope(.readAudit), .never)
        case .readEvents: Row(.organization, .never, .scope(.readEvents), .never)
        case .readWebhooks: Row(.organization, .never, .never, .never)
        case .writeWebhooks: Row(.organization, .never, .never, .never)
        case .connectAgent: Row(.organization, .own, .never, .own)
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
        switch reach(of: action, for: principal.kind) {
        case .never: .forbid
        case .own, .organization: .allow
        case .scope(let scope): holds(scope, principal.kind) ? .allow : .forbid
        }
    }

    /// Decides about one resource.
    public static func decide(
        _ principal: Principal, _ action: Action, on resource: Resource
    ) -> PermissionDecision {
        switch reach(of: action, for: principal.kind) {
        case .never: return .forbid
        case .own: return principal.organizationID == resource.organizationID && owns(principal.kind, resource) ? .allow : .hide
        case .organization: return principal.organizationID == resource.organizationID ? .allow : .hide
        case .scope(let scope):
            guard holds(scope, principal.kind) else { return .forbid }
            return principal.organizationID == resource.organizationID ? .allow : .hide
        }
    }

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
