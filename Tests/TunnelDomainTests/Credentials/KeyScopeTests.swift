import TestSupport
import Testing
import TunnelDomain

struct KeyScopeTests {
    @Test(arguments: KeyScope.allCases)
    func `a word is read as it is written`(scope: KeyScope) throws {
        #expect(try KeyScopeName(validating: scope.rawValue) == .word(scope))
        #expect(KeyScopeName.word(scope).text == scope.rawValue)
    }

    @Test func `one tunnel is named between colons`() throws {
        let name = try KeyScopeName(validating: "tunnel:my-agent:connect")
        #expect(name == .connect(try TunnelName(validating: "my-agent")))
        #expect(name.text == "tunnel:my-agent:connect")
    }

    @Test(
        arguments: [
            ("", .unknown), ("tunnels:*", .unknown), ("Tunnels:Read", .unknown), ("tunnels:read ", .unknown), ("*", .unknown),
            ("tunnel:abc:write", .unknown), ("tunnel:abc", .unknown), ("tunnel:abc:connect:x", .unknown),
            ("tunnel::connect", .badName(.tooShort(byteCount: 0))),
            ("tunnel:{name}:connect", .badName(.illegalCharacter("{", at: 0))),
            ("tunnel:*:connect", .badName(.tooShort(byteCount: 1))),
        ] as [(String, KeyScopeError)])
    func `what is no scope is told how`(text: String, error: KeyScopeError) {
        #expect(throws: error) { try KeyScopeName(validating: text) }
        #expect(error.explanation.hasSuffix("."))
    }

    @Test func `scopes are kept and read again`() throws {
        try checkProperty { sample in
            let scopes = sample.keyScopes()
            sample.note(scopes.text)
            try sample.check(KeyScopes(text: scopes.text), is: scopes)
        }
        for text in ["tunnels:reed", "tunnel:my-agent:connect", "tunnels:read,keys:read"] {
            #expect(KeyScopes(text: text) == nil)
        }
    }

    @Test func `the bounds of scopes and ranges hold at their edges`() throws {
        try APIKeyFields.check(scopeCount: 32, max: APIKeyFields.scopeCountMaxDefault)
        #expect(throws: APIKeyFieldError.tooManyScopes(count: 33, max: 32)) {
            try APIKeyFields.check(scopeCount: 33, max: APIKeyFields.scopeCountMaxDefault)
        }
        #expect(throws: APIKeyFieldError.scopesEmpty) { try APIKeyFields.check(scopeCount: 0, max: 32) }
        try APIKeyFields.check(rangeCount: 32, max: APIKeyFields.rangeCountMaxDefault)
        #expect(throws: APIKeyFieldError.tooManyRanges(count: 33, max: 32)) {
            try APIKeyFields.check(rangeCount: 33, max: APIKeyFields.rangeCountMaxDefault)
        }
        #expect(throws: APIKeyFieldError.rangesEmpty) { try APIKeyFields.check(rangeCount: 0, max: 32) }
    }

    @Test(arguments: KeyScope.allCases)
    func `an identity's key is narrowed only to what an identity may`(scope: KeyScope) {
        let agent = Principal(organizationID: PermissionTests.organization(1), kind: .identityKey(PermissionTests.identity(1)))
        let isUseful = Permission.Action.allCases.contains {
            Permission.keyScope(of: $0) == scope && Permission.decide(agent, $0) == .allow
        }
        #expect(Permission.identityKeyScopes.contains(scope) == isUseful)
        var error: APIKeyFieldError?
        do throws(APIKeyFieldError) { try APIKeyFields.check(identityScopes: [scope]) } catch let found { error = found }
        #expect(error == (isUseful ? nil : .scopesBeyondIdentity([scope])))
    }

    @Test func `only keys:write and apps:write make credentials of the API`() {
        #expect(KeyScope.allCases.filter(\.makesCredentials) == [.writeKeys, .writeApps])
    }
}

extension Sample {
    mutating func keyScopes() -> KeyScopes {
        KeyScopes(
            words: Set(KeyScope.allCases.filter { _ in bool() }),
            tunnels: Set(list(upTo: 2) { PermissionTests.tunnel(UInt64($0.int(in: 1...2))) }))
    }
}
