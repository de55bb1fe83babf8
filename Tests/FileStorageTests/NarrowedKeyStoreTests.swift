import FileStorage
import Testing
import TunnelDomain
import TunnelService

/// What every store must do with keys that are narrowed.
@Suite struct NarrowedKeyStoreTests {
    private static func key(_ number: Int, _ bounds: KeyBounds) -> APIKeyRecord {
        APIKeyRecord(
            id: Sample.id(number), organizationID: Sample.organizationID, label: "key \(number)",
            hash: [UInt8](repeating: UInt8(number), count: 32), displayPrefix: "ApiKey_abc", last4: "wxyz", createdBy: "x",
            createdAt: Sample.now, updatedAt: Sample.now, bounds: bounds)
    }

    @Test(arguments: StoreKind.allCases)
    func `a key comes back as narrow as it went in`(kind: StoreKind) async throws {
        let store = try await kind.make()
        let ranges = try ["192.0.2.0/24", "2001:db8::/32", "203.0.113.7"].map { try AddressRange(validating: $0) }
        let tunnels: Set = [TunnelID(Sample.id(8)), TunnelID(Sample.id(9))]
        let all = [
            KeyBounds.none, KeyBounds(scopes: KeyScopes(words: Set(KeyScope.allCases), tunnels: tunnels), ranges: ranges),
            KeyBounds(scopes: KeyScopes(words: [.readTunnels])), KeyBounds(scopes: KeyScopes(words: [], tunnels: tunnels)),
            KeyBounds(ranges: ranges),
        ]
        let keys = all.enumerated().map { Self.key($0 + 1, $1) }
        try await store.write { store in for key in keys { try store.insert(key) } }
        for key in keys {
            #expect(try await store.read { try $0.apiKey(key.id) } == key)
            #expect(try await store.read { try $0.apiKey(hash: key.hash) } == key)
        }
        var rotated = keys[1]
        rotated.expiresAt = Sample.now + .hours(1)
        rotated.replacedBy = keys[2].id
        try await store.write { [rotated] in try $0.update(rotated) }
        let id = rotated.id
        let found = try await store.read { try $0.apiKey(id) }
        #expect(found == rotated)
    }
}
