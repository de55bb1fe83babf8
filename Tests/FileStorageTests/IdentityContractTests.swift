import FileStorage
import Testing
import TunnelDomain
import TunnelService

/// What every store must do with identities and their keys.
@Suite struct IdentityContractTests {
    private static func identity(
        _ number: Int, handle: String? = nil, organizationID: OrganizationID = Sample.organizationID,
        createdAfter seconds: Int64? = nil
    ) throws -> Identity {
        try Identity.create(
            id: IdentityID(Sample.id(number)), organizationID: organizationID,
            handle: AgentHandle(validating: handle ?? "agent-\(number)"),
            displayName: number.isMultiple(of: 2) ? "Agent “\(number)”" : nil,
            description: number.isMultiple(of: 3) ? "text" : nil, at: Sample.now + .seconds(seconds ?? Int64(number)))
    }

    private static func key(
        _ number: Int, of identity: Int? = nil, createdAfter seconds: Int64 = 0, expiresAfter: Int64? = nil,
        organizationID: OrganizationID = Sample.organizationID
    ) -> APIKeyRecord {
        APIKeyRecord(
            id: Sample.id(number), organizationID: organizationID,
            scopedIdentityID: identity.map { IdentityID(Sample.id($0)) }, label: "key \(number)", description: "“d”",
            hash: [UInt8](repeating: UInt8(number), count: 32), displayPrefix: "ApiKey_abc", last4: "wxyz", createdBy: "x",
            creatorType: number.isMultiple(of: 2) ? .human : .agent, createdAt: Sample.now + .seconds(seconds),
            updatedAt: Sample.now + .seconds(seconds), expiresAt: expiresAfter.map { Sample.now + .seconds($0) },
            rotationSecretHash: number.isMultiple(of: 2) ? [UInt8](repeating: 9, count: 32) : nil,
            replacedBy: number.isMultiple(of: 5) ? Sample.id(99) : nil)
    }

    @Test(arguments: StoreKind.allCases)
    func `an identity comes back as it went in, in every state`(kind: StoreKind) async throws {
        let store = try await kind.make()
        var first = try Self.identity(1)
        let second = try Self.identity(2)
        try await store.write { [first] store in
            try store.insert(first)
            try store.insert(second)
        }
        #expect(try await store.read { try $0.identity(second.id) } == second)
        #expect(try await store.read { try $0.identity(IdentityID(Sample.id(3))) } == nil)
        _ = try first.update(
            handle: AgentHandle(validating: "renamed"), displayName: .clear, description: .set("new"), at: Sample.now)
        _ = try first.setSigningKey(sealed: [1, 2, 3], at: Sample.now + .seconds(7))
        try await store.write { [first] in try $0.update(first) }
        #expect(try await store.read { try $0.identity(named: AgentHandle(validating: "renamed")) } == first)
        #expect(try await store.read { try $0.identity(named: AgentHandle(validating: "agent-1")) } == nil)
        try first.delete(at: Sample.now + .seconds(8))
        try await store.write { [first] in try $0.update(first) }
        let gone = first
        #expect(try await store.read { try $0.identity(gone.id) } == gone)
        #expect(try await store.read { try $0.identity(named: gone.handle) } == nil)
    }

    @Test(arguments: StoreKind.allCases)
    func `two living identities never share a handle`(kind: StoreKind) async throws {
        let store = try await kind.make()
        var first = try Self.identity(1, handle: "shared")
        let second = try Self.identity(2, handle: "shared")
        var third = try Self.identity(3)
        try await store.write { [first, third] store in
            try store.insert(first)
            try store.insert(third)
        }
        await #expect(throws: StoreError.self) { try await store.write { try $0.insert(second) } }
        _ = try third.update(handle: second.handle, at: Sample.now)
        await #expect(throws: StoreError.self) { try await store.write { [third] in try $0.update(third) } }
        try first.delete(at: Sample.now)
        try await store.write { [first] store in
            try store.update(first)
            try store.insert(second)
        }
        #expect(try await store.read { try $0.identity(named: second.handle) } == second)
        let stranger = try Self.identity(9, organizationID: Sample.organizationID("org_9"))
        await #expect(throws: StoreError.self) { try await store.write { try $0.insert(stranger) } }
    }

    @Test(arguments: StoreKind.allCases)
    func `lists are newest first, in pages without gap or repetition`(kind: StoreKind) async throws {
        let store = try await kind.make()
        let other = Sample.organizationID("org_2")
        try await store.write { store in
            try store.insert(Sample.organization(other))
            for number in 0..<20 {
                try store.insert(Self.identity(number, createdAfter: Int64(number / 4)))
                try store.insert(Self.key(number, createdAfter: Int64(number / 4)))
            }
            try store.insert(Self.identity(100, organizationID: other))
            try store.insert(Self.key(100, organizationID: other))
            var gone = try Self.identity(101)
            try gone.delete(at: Sample.now)
            try store.insert(gone)
        }
        let expected = (0..<20).reversed().map { Sample.id($0) }
        let identities = try await store.read { try $0.identities(of: Sample.organizationID, after: nil, limit: nil) }
        let keys = try await store.read { try $0.apiKeys(of: Sample.organizationID, after: nil, limit: nil) }
        #expect(identities.map(\.id.value) == expected)
        #expect(keys.map(\.id) == expected)
        #expect(keys.last == Self.key(0))
        for size in [1, 3, 20, 21] {
            var (pagedIdentities, pagedKeys): ([Identity], [APIKeyRecord]) = ([], [])
            while true {
                let cursor = pagedIdentities.last.map { ListCursor(behind: $0) }
                let page = try await store.read { try $0.identities(of: Sample.organizationID, after: cursor, limit: size) }
                if page.isEmpty { break }
                #expect(page.count <= size)
                pagedIdentities += page
            }
            while true {
                let cursor = pagedKeys.last.map { ListCursor(behind: $0) }
                let page = try await store.read { try $0.apiKeys(of: Sample.organizationID, after: cursor, limit: size) }
                if page.isEmpty { break }
                pagedKeys += page
            }
            #expect(pagedIdentities == identities)
            #expect(pagedKeys == keys)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func `a tunnel is found by its identity until it is deleted`(kind: StoreKind) async throws {
        let store = try await kind.make()
        let identityID = IdentityID(Sample.id(1))
        var tunnel = try Tunnel.create(
            id: TunnelID(Sample.id(7)), organizationID: Sample.organizationID, identityID: identityID,
            name: TunnelName(validating: "agent-1"), connectSecretHash: nil, at: Sample.now)
        try await store.write { [tunnel] store in
            try store.insert(tunnel)
            try store.insert(Sample.tunnel(8))
        }
        #expect(try await store.read { try $0.tunnel(of: identityID) } == tunnel)
        #expect(try await store.read { try $0.tunnel(of: IdentityID(Sample.id(2))) } == nil)
        _ = tunnel.finalize(at: Sample.now)
        try await store.write { [tunnel] in try $0.update(tunnel) }
        #expect(try await store.read { try $0.tunnel(of: identityID) } == nil)
    }

    @Test(arguments: StoreKind.allCases)
    func `keys are found by id, by identity and by expiry while nobody has ended them`(kind: StoreKind) async throws {
        let store = try await kind.make()
        var ended = Self.key(2, of: 1)
        ended.revokedAt = Sample.now + .seconds(3)
        try await store.write { [ended] store in
            try store.insert(Self.key(1, of: 1, expiresAfter: 10))
            try store.insert(ended)
            try store.insert(Self.key(3, of: 1, expiresAfter: 20))
            try store.insert(Self.key(4, of: 2))
            try store.insert(Self.key(5, expiresAfter: 15))
        }
        #expect(try await store.read { try $0.apiKey(Sample.id(5)) } == Self.key(5, expiresAfter: 15))
        #expect(try await store.read { try $0.apiKey(Sample.id(2)) } == ended)
        #expect(try await store.read { try $0.apiKey(Sample.id(6)) } == nil)
        let open = try await store.read { try $0.openAPIKeys(of: IdentityID(Sample.id(1))) }
        #expect(Set(open.map(\.id)) == [Sample.id(1), Sample.id(3)])
        func expiring(_ second: Int64, limit: Int = 9) async throws -> [UUIDValue] {
            try await store.read { try $0.openAPIKeys(expiringUpTo: Sample.now + .seconds(second), limit: limit) }.map(\.id)
        }
        #expect(try await expiring(9) == [])
        #expect(try await expiring(15) == [Sample.id(1), Sample.id(5)])
        #expect(try await expiring(99, limit: 2) == [Sample.id(1), Sample.id(5)])
        var first = Self.key(1, of: 1, expiresAfter: 10)
        first.revokedAt = Sample.now
        first.label = "new"
        try await store.write { [first] in try $0.update(first) }
        #expect(try await store.read { try $0.apiKey(Sample.id(1)) } == first)
        #expect(try await expiring(99) == [Sample.id(5), Sample.id(3)])
    }
}
