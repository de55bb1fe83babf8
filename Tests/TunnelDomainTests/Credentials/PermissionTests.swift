import TestSupport
import Testing
import TunnelDomain

struct PermissionTests {
    static func organization(_ number: Int) -> OrganizationID {
        guard let id = OrganizationID("org_\(number)") else { preconditionFailure("the text is valid") }
        return id
    }

    static func identity(_ number: UInt64) -> IdentityID { IdentityID(UUIDValue(high: 1, low: number)) }
    static func tunnel(_ number: UInt64) -> TunnelID { TunnelID(UUIDValue(high: 2, low: number)) }

    static let admin = Principal(organizationID: organization(1), kind: .adminKey)
    static let agent = Principal(organizationID: organization(1), kind: .identityKey(identity(1)))
    static let app = Principal(organizationID: organization(1), kind: .app(Set(Scope.allCases)))
    static let secret = Principal(organizationID: organization(1), kind: .connectSecret(tunnel(1)))

    static let own = Permission.Resource(organizationID: organization(1), identityID: identity(1), tunnelID: tunnel(1))
    static let others = Permission.Resource(organizationID: organization(1), identityID: identity(2), tunnelID: tunnel(2))
    static let foreign = Permission.Resource(organizationID: organization(2), identityID: identity(1), tunnelID: tunnel(1))

    @Test(
        arguments: [
            (admin, .readTunnel, own, .allow), (admin, .readTunnel, others, .allow), (admin, .readTunnel, foreign, .hide),
            (admin, .forceDeleteTunnel, own, .allow), (admin, .createAdminKey, own, .forbid),
            (admin, .rotateOwnKey, own, .forbid),
            (admin, .connectAgent, others, .allow), (admin, .connectAgent, foreign, .hide),
            (agent, .readTunnel, own, .allow), (agent, .readTunnel, others, .hide), (agent, .readTunnel, foreign, .hide),
            (agent, .updateTunnel, others, .hide), (agent, .signCertificate, own, .allow),
            (agent, .forceDeleteTunnel, own, .forbid), (agent, .createIdentity, own, .forbid),
            (agent, .createTunnel, own, .forbid),
            (agent, .createIdentityKey, own, .forbid), (agent, .readAudit, own, .forbid), (agent, .rotateOwnKey, own, .allow),
            (agent, .connectAgent, own, .allow), (agent, .connectAgent, others, .hide),
            (app, .readTunnel, others, .allow), (app, .readTunnel, foreign, .hide), (app, .forceDeleteTunnel, own, .forbid),
            (app, .connectAgent, own, .forbid), (app, .createIdentityKey, own, .forbid), (app, .readAudit, own, .allow),
            (secret, .connectAgent, own, .allow), (secret, .connectAgent, others, .hide),
            (secret, .connectAgent, foreign, .hide),
            (secret, .readTunnel, own, .forbid), (secret, .rotateConnectSecret, own, .forbid),
        ] as [(Principal, Permission.Action, Permission.Resource, PermissionDecision)])
    func `who may do what`(
        principal: Principal, action: Permission.Action, resource: Permission.Resource, decision: PermissionDecision
    ) {
        #expect(Permission.decide(principal, action, on: resource) == decision)
    }

    @Test(
        arguments: [
            (Scope.readTunnels, [.listTunnels, .readTunnel, .listIdentities, .readIdentity]),
            (.writeTunnels, [.createTunnel, .updateTunnel, .deleteTunnel, .restoreTunnel, .signCertificate]),
            (.rotateSecrets, [.rotateConnectSecret]),
            (.readAudit, [.readAudit]),
            (.readEvents, [.readEvents]),
        ] as [(Scope, [Permission.Action])])
    func `a scope allows an app exactly this`(scope: Scope, actions: [Permission.Action]) {
        let app = Principal(organizationID: Self.organization(1), kind: .app([scope]))
        let allowed = Permission.Action.allCases.filter { Permission.decide(app, $0, on: Self.others) == .allow }
        #expect(Set(allowed) == Set(actions + [.askWhoAmI]))
    }

    @Test func `a tunnel without an identity is no identity's own`() {
        let lone = Permission.Resource(organizationID: Self.organization(1), tunnelID: Self.tunnel(3))
        #expect(Permission.decide(Self.agent, .readTunnel, on: lone) == .hide)
    }

    @Test func `nothing of another organization is ever allowed`() throws {
        try checkProperty { sample in
            let principal = sample.principal()
            let resource = sample.resource()
            let action = sample.element(of: Permission.Action.allCases)
            sample.note("\(principal) \(action) \(resource)")
            guard principal.organizationID != resource.organizationID else { return }
            try sample.check(Permission.decide(principal, action, on: resource) != .allow, "it is allowed")
        }
    }

    @Test func `a refusal says nothing about what exists`() throws {
        try checkProperty { sample in
            let principal = sample.principal()
            let action = sample.element(of: Permission.Action.allCases)
            let (one, other) = (sample.resource(), sample.resource())
            sample.note("\(principal) \(action) \(one) \(other)")
            let isForbidden = Permission.decide(principal, action, on: one) == .forbid
            try sample.check(
                Permission.decide(principal, action, on: other) == .forbid, is: isForbidden, "whether it is forbidden")
            try sample.check(Permission.decide(principal, action) == .forbid, is: isForbidden, "what is said before a lookup")
        }
    }

    @Test func `an admin may all that others of the organization may, but rotate an identity's own key`() throws {
        try checkProperty { sample in
            let principal = sample.principal()
            let resource = sample.resource()
            let action = sample.element(of: Permission.Action.allCases.filter { $0 != .rotateOwnKey })
            sample.note("\(principal) \(action) \(resource)")
            guard Permission.decide(principal, action, on: resource) == .allow else { return }
            let admin = Principal(organizationID: principal.organizationID, kind: .adminKey)
            try sample.check(Permission.decide(admin, action, on: resource), is: .allow, "the admin's answer")
        }
    }

    @Test func `more scopes never allow less`() throws {
        try checkProperty { sample in
            let few = Set(Scope.allCases.filter { _ in sample.bool() })
            let many = few.union(Scope.allCases.filter { _ in sample.bool() })
            let (resource, action) = (sample.resource(), sample.element(of: Permission.Action.allCases))
            sample.note("\(few) \(many) \(action) \(resource)")
            let less = Principal(organizationID: Self.organization(1), kind: .app(few))
            let more = Principal(organizationID: Self.organization(1), kind: .app(many))
            guard Permission.decide(less, action, on: resource) == .allow else { return }
            try sample.check(Permission.decide(more, action, on: resource), is: .allow, "the answer with more scopes")
        }
    }
}

extension Sample {
    fileprivate mutating func principal() -> Principal {
        let kinds: [Principal.Kind] = [
            .adminKey, .identityKey(PermissionTests.identity(UInt64(int(in: 1...2)))),
            .app(Set(Scope.allCases.filter { _ in bool() })), .connectSecret(PermissionTests.tunnel(UInt64(int(in: 1...2)))),
        ]
        return Principal(organizationID: PermissionTests.organization(int(in: 1...2)), kind: element(of: kinds))
    }

    fileprivate mutating func resource() -> Permission.Resource {
        Permission.Resource(
            organizationID: PermissionTests.organization(int(in: 1...2)),
            identityID: optional { PermissionTests.identity(UInt64($0.int(in: 1...2))) },
            tunnelID: optional { PermissionTests.tunnel(UInt64($0.int(in: 1...2))) })
    }
}
