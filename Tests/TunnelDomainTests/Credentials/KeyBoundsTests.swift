import TestSupport
import Testing
import TunnelDomain

/// What narrowed keys may do, and whom they may make keys for.
struct KeyBoundsTests {
    private static let organization = PermissionTests.organization(1)
    private static let kinds: [Principal.Kind] = [.adminKey, .identityKey(PermissionTests.identity(1))]

    private static func key(_ kind: Principal.Kind, _ scopes: KeyScopes?, _ ranges: [AddressRange] = []) -> Principal {
        Principal(organizationID: organization, kind: kind, bounds: KeyBounds(scopes: scopes, ranges: ranges))
    }

    @Test(arguments: KeyScope.allCases, Permission.Action.allCases)
    func `a scope allows the acts that need it, of those that the owner may, and nothing else`(
        scope: KeyScope, action: Permission.Action
    ) {
        for kind in Self.kinds {
            let whole = Permission.decide(Self.key(kind, nil), action, on: PermissionTests.own)
            let narrow = Permission.decide(Self.key(kind, KeyScopes(words: [scope])), action, on: PermissionTests.own)
            let needed = Permission.keyScope(of: action)
            #expect(narrow == (needed == scope || needed == nil ? whole : .forbid), "\(kind)")
        }
    }

    @Test(arguments: Permission.Action.allCases)
    func `a key for one tunnel's agent connects that and does nothing else`(action: Permission.Action) {
        let scopes = KeyScopes(words: [], tunnels: [PermissionTests.tunnel(1)])
        for kind in Self.kinds {
            let key = Self.key(kind, scopes)
            let mayOwn = Permission.decide(key, action, on: PermissionTests.own) == .allow
            let wholeMay = Permission.decide(Self.key(kind, nil), action, on: PermissionTests.own) == .allow
            #expect(mayOwn == (wholeMay && [.connectAgent, .askWhoAmI, .rotateOwnKey].contains(action)), "\(kind)")
            guard action == .connectAgent else { continue }
            #expect(Permission.decide(key, action, on: PermissionTests.others) == .hide)
            #expect(Permission.decide(key, action, on: PermissionTests.foreign) == .hide)
        }
    }

    @Test func `without scopes a key may only ask who it is`() {
        for kind in Self.kinds {
            let allowed = Permission.Action.allCases.filter {
                Permission.decide(Self.key(kind, KeyScopes(words: [])), $0, on: PermissionTests.own) == .allow
            }
            #expect(Set(allowed).subtracting([.rotateOwnKey]) == [.askWhoAmI])
        }
    }

    @Test func `narrowing never allows more, more scopes never less, and a refusal tells nothing of what exists`() throws {
        try checkProperty { sample in
            let kind = sample.element(of: Self.kinds)
            let (few, other) = (sample.keyScopes(), sample.keyScopes())
            let many = KeyScopes(words: few.words.union(other.words), tunnels: few.tunnels.union(other.tunnels))
            let action = sample.element(of: Permission.Action.allCases)
            let (one, two) = (sample.resource(), sample.resource())
            sample.note("\(kind) \(few.text) | \(many.text) \(action) \(one) \(two)")
            let decide = { (scopes: KeyScopes?, resource: Permission.Resource) in
                Permission.decide(Self.key(kind, scopes), action, on: resource)
            }
            if decide(few, one) == .allow {
                try sample.check(decide(many, one), is: .allow, "the answer with more scopes")
                try sample.check(decide(nil, one), is: .allow, "the answer without scopes")
            }
            try sample.check(decide(few, two) == .forbid, is: decide(few, one) == .forbid, "whether it is forbidden")
            let before = Permission.decide(Self.key(kind, few), action)
            try sample.check(before == .forbid, is: decide(few, one) == .forbid, "what is said before a lookup")
        }
    }

    @Test func `the scope that is named is the one that helps`() throws {
        try checkProperty { sample in
            let (scopes, action) = (sample.keyScopes(), sample.element(of: Permission.Action.allCases))
            let kind = sample.element(of: Self.kinds)
            sample.note("\(kind) \(scopes.text) \(action)")
            let key = Self.key(kind, scopes)
            guard let missing = Permission.missingScope(key, action) else {
                let isHopeless = Permission.decide(Self.key(kind, nil), action) == .forbid
                return try sample.check(Permission.decide(key, action) == .allow || isHopeless, "no scope is named")
            }
            try sample.check(Permission.decide(key, action), is: .forbid)
            let words = KeyScope.allCases.filter { $0.rawValue == missing }
            try sample.check(words.count == 1, "\(missing) is no scope")
            let helped = Self.key(kind, KeyScopes(words: scopes.words.union(words), tunnels: scopes.tunnels))
            try sample.check(Permission.decide(helped, action), is: .allow, "the answer with the scope")
        }
    }

    @Test func `an app hears of its missing scope too`() {
        let app = Principal(organizationID: Self.organization, kind: .app([.readTunnels]))
        #expect(Permission.missingScope(app, .createTunnel) == "tunnels:write")
        #expect(Permission.missingScope(app, .readTunnel) == nil)
        #expect(Permission.missingScope(app, .createIdentity) == nil)
    }
}

// MARK: - Addresses

extension KeyBoundsTests {
    @Test func `a key without ranges is used from everywhere, one with ranges from within them`() throws {
        #expect(KeyBounds.none.admits("192.0.2.7") && KeyBounds.none.admits("") && KeyBounds.none.admits("unix"))
        let texts = ["192.0.2.0/24", "2001:db8::/32"]
        let bounds = KeyBounds(ranges: try (texts + texts).map { try AddressRange(validating: $0) })
        #expect(bounds.ranges.map(\.text) == texts, "each is kept once")
        for address in ["192.0.2.7", "::ffff:192.0.2.7", "2001:db8::1", "2001:DB8::1%eth0"] { #expect(bounds.admits(address)) }
        for address in ["192.0.3.7", "::1", "", "unix", "192.0.2.7:80", "192.0.2.07"] { #expect(!bounds.admits(address)) }
    }
}

// MARK: - Making credentials

extension KeyBoundsTests {
    /// Everything that a credential may, tried out on every kind of resource and from some addresses.
    private static func reaches(
        _ principal: Principal, from address: String, _ action: Permission.Action, _ resource: Permission.Resource
    ) -> Bool {
        principal.bounds.admits(address) && Permission.decide(principal, action, on: resource) == .allow
    }

    @Test func `a credential that exceeds its maker in nothing may do nothing more from nowhere`() throws {
        let addresses = ["64.0.0.1", "128.0.0.1", "0.0.0.1", "4000::1", "8000::1", "::1"]
        try checkProperty(cases: 2_000) { sample in
            let makerKind = sample.chance(oneIn: 8) ? Self.kinds[1] : .adminKey
            let maker = Self.key(
                makerKind, sample.optional { $0.keyScopes() }, sample.bool() ? try sample.list(upTo: 3) { try $0.range() } : [])
            let kind: Principal.Kind = sample.element(
                of: Self.kinds + [.app(Set(Scope.allCases.filter { _ in sample.bool() }))])
            let new = Self.key(
                kind, sample.optional { $0.keyScopes() }, sample.bool() ? try sample.list(upTo: 3) { try $0.range() } : [])
            sample.note("\(maker) makes \(new)")
            let excess = Permission.excess(of: kind, new.bounds, over: maker)
            let resources = [PermissionTests.own, PermissionTests.others, PermissionTests.foreign, sample.resource()]
            guard excess == nil else {
                // What is named is lacking indeed.
                for scope in excess?.scopes ?? [] {
                    try sample.check(
                        maker.kind != .adminKey || maker.bounds.scopes?.words.contains(scope) == false,
                        "\(scope) is not lacking")
                }
                return
            }
            for action in Permission.Action.allCases where action != .rotateOwnKey {
                for (resource, address) in resources.flatMap({ resource in addresses.map { (resource, $0) } }) {
                    guard Self.reaches(new, from: address, action, resource) else { continue }
                    try sample.check(
                        Self.reaches(maker, from: address, action, resource), "only the new one may \(action) from \(address)")
                }
            }
        }
    }

    @Test func `what a credential exceeds its maker in is told`() throws {
        let office = try AddressRange(validating: "192.0.2.0/24")
        let identity = Self.kinds[1]
        let writer = Self.key(.adminKey, KeyScopes(words: [.writeKeys, .readTunnels], tunnels: [PermissionTests.tunnel(1)]))
        let excess = { (kind: Principal.Kind, bounds: KeyBounds, maker: Principal) in
            Permission.excess(of: kind, bounds, over: maker)
        }
        #expect(excess(identity, KeyBounds(scopes: KeyScopes(words: [.readTunnels])), writer) == nil)
        #expect(excess(identity, KeyBounds(scopes: KeyScopes(words: [], tunnels: [PermissionTests.tunnel(1)])), writer) == nil)
        #expect(
            excess(identity, KeyBounds(scopes: KeyScopes(words: [.writeTunnels])), writer)?.scopes == [.writeTunnels])
        #expect(
            excess(identity, KeyBounds(scopes: KeyScopes(words: [], tunnels: [PermissionTests.tunnel(2)])), writer)?.tunnels
                == [PermissionTests.tunnel(2)])
        #expect(
            excess(identity, .none, writer)?.scopes
                == [.connectAgents, .writeIdentities, .rotateSecrets, .writeTunnels])
        #expect(excess(.adminKey, .none, Self.key(.adminKey, nil)) == nil)
        #expect(excess(.adminKey, .none, writer)?.scopes.contains(.readAudit) == true)
        let bound = Self.key(.adminKey, nil, [office])
        #expect(excess(identity, .none, bound)?.isFromElsewhere == true)
        #expect(excess(.app([.readTunnels]), .none, bound)?.isFromElsewhere == true)
        #expect(excess(identity, KeyBounds(ranges: [try AddressRange(validating: "192.0.2.128/25")]), bound) == nil)
        #expect(
            excess(identity, KeyBounds(ranges: [try AddressRange(validating: "192.0.0.0/16")]), bound)?.isFromElsewhere == true)
        #expect(excess(identity, KeyBounds(scopes: KeyScopes(words: [])), Self.key(identity, nil)) != nil)
    }
}

extension Sample {
    fileprivate mutating func resource() -> Permission.Resource {
        Permission.Resource(
            organizationID: PermissionTests.organization(int(in: 1...2)),
            identityID: optional { PermissionTests.identity(UInt64($0.int(in: 1...2))) },
            tunnelID: optional { PermissionTests.tunnel(UInt64($0.int(in: 1...2))) })
    }
}
