import Testing
import TunnelDomain
import TunnelService

/// What every store must do with events.
struct EventStoreTests {
    private static let other = Sample.organizationID("org_2")

    private func event(_ number: Int, of organizationID: OrganizationID = Sample.organizationID) -> EventRecord {
        EventRecord(
            id: Sample.id(abs(number)), occurredAt: Sample.now + .seconds(Int64(number)), type: .tunnelCreated,
            organizationID: organizationID, identityID: number.isMultiple(of: 2) ? IdentityID(Sample.id(70)) : nil,
            tunnelID: number.isMultiple(of: 3) ? TunnelID(Sample.id(80)) : nil, dataJSON: #"{"n":"\#(number)"}"#)
    }

    private func make(_ kind: StoreKind, _ numbers: [Int]) async throws -> StoreUnderTest {
        let store = try await kind.make()
        try await store.write { store in
            try store.insert(Sample.organization(Self.other))
            for number in numbers { try store.append(event(number, of: number < 0 ? Self.other : Sample.organizationID)) }
        }
        return store
    }

    private func read(
        _ store: StoreUnderTest, of organizationID: OrganizationID = Sample.organizationID, after sequence: Int64,
        limit: Int = 100
    ) async throws -> [EventRecord] {
        try await store.read { try $0.events(of: organizationID, after: sequence, limit: limit) }
    }

    @Test(arguments: StoreKind.allCases)
    func `events come back in order as they went in, each organization's own`(kind: StoreKind) async throws {
        let store = try await make(kind, [1, -2, 3, 6])
        let all = try await read(store, after: 0)
        #expect(all.map(\.id) == [Sample.id(1), Sample.id(3), Sample.id(6)])
        #expect(all.map(\.sequence) == [1, 3, 4])
        #expect(all[2].identityID == IdentityID(Sample.id(70)) && all[2].tunnelID == TunnelID(Sample.id(80)))
        #expect(all[0].identityID == nil && all[0].dataJSON == #"{"n":"1"}"# && all[0].occurredAt == Sample.now + .seconds(1))
        #expect(try await read(store, after: 1).map(\.sequence) == [3, 4])
        #expect(try await read(store, after: 2, limit: 1).map(\.sequence) == [3])
        #expect(try await read(store, of: Self.other, after: 0).map(\.sequence) == [2])
        #expect(try await store.read { try $0.eventCount(of: Sample.organizationID) } == 3)
    }

    @Test(arguments: StoreKind.allCases)
    func `what is forgotten is remembered as a bound, and numbers are not given twice`(kind: StoreKind) async throws {
        let store = try await make(kind, [1, -2, 3])
        func extent() async throws -> EventLogExtent {
            try await store.read { try $0.eventLogExtent(of: Sample.organizationID) }
        }
        #expect(try await extent() == EventLogExtent(forgottenUpTo: 0, last: 3))
        try await store.write { try $0.forgetEvents(of: Sample.organizationID, upTo: 3) }
        #expect(try await extent() == EventLogExtent(forgottenUpTo: 3, last: 3))
        try await store.write { try $0.forgetEvents(of: Sample.organizationID, upTo: 1) }
        #expect(try await extent() == EventLogExtent(forgottenUpTo: 3, last: 3))
        try await store.write { try $0.append(event(4)) }
        #expect(try await read(store, after: 0).map(\.sequence) == [4])
        #expect(try await read(store, of: Self.other, after: 0).count == 1)
        #expect(
            try await store.read { try $0.eventLogExtent(of: Sample.organizationID("org_9")) }
                == EventLogExtent(forgottenUpTo: 0, last: 0))
    }

    @Test(arguments: StoreKind.allCases)
    func `every organization is named`(kind: StoreKind) async throws {
        let store = try await make(kind, [])
        #expect(try await Set(store.read { try $0.organizationIDs() }) == [Sample.organizationID, Self.other])
    }

    @Test(arguments: StoreKind.allCases)
    func `a watch is replaced, is due at its moment, and ends`(kind: StoreKind) async throws {
        let store = try await kind.make()
        let ids = try [1, 2, 3].map { try Sample.tunnel($0).id }
        try await store.write { store in
            for number in [1, 2, 3] { try store.insert(Sample.tunnel(number)) }
            for (offset, id) in ids.enumerated() { try store.watchExpiry(of: id, from: Sample.now + .seconds(Int64(offset))) }
            try store.watchExpiry(of: ids[0], from: Sample.now + .seconds(9))
        }
        func due(_ seconds: Int64, limit: Int = 10) async throws -> [TunnelID] {
            try await store.read { try $0.expiryWatches(dueUpTo: Sample.now + .seconds(seconds), limit: limit) }
        }
        #expect(try await due(0) == [])
        #expect(try await due(1) == [ids[1]])
        #expect(try await due(9) == [ids[1], ids[2], ids[0]])
        #expect(try await due(9, limit: 2) == [ids[1], ids[2]])
        try await store.write { try $0.endExpiryWatch(of: ids[1]) }
        #expect(try await due(9) == [ids[2], ids[0]])
    }
}
