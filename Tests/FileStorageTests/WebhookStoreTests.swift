import Testing
import TunnelDomain
import TunnelService

/// What every store must do with webhooks and their deliveries.
struct WebhookStoreTests {
    private static let other = Sample.organizationID("org_2")

    private func webhook(_ number: Int, of organizationID: OrganizationID = Sample.organizationID) -> WebhookRecord {
        WebhookRecord(
            id: Sample.id(number), organizationID: organizationID,
            identityID: number.isMultiple(of: 2) ? IdentityID(Sample.id(70)) : nil, url: "https://example.com/\(number)",
            eventTypes: ["tunnel.*", "cert.signed"], description: number.isMultiple(of: 2) ? "“x”" : nil, sealedSecret: [1, 2],
            createdAt: Sample.now + .seconds(Int64(number)), updatedAt: Sample.now + .seconds(Int64(number)))
    }

    private func delivery(
        _ number: Int, of webhook: Int = 1, due seconds: Int64 = 0, state: WebhookDelivery.State? = nil,
        _ lastAttempt: WebhookDelivery.Attempt? = nil
    ) -> WebhookDelivery {
        WebhookDelivery(
            id: Sample.id(100 + number), subscriptionID: Sample.id(webhook), organizationID: Sample.organizationID,
            eventID: Sample.id(200 + number), eventType: .certSigned,
            identityID: number.isMultiple(of: 2) ? IdentityID(Sample.id(70)) : nil, body: #"{"n":"\#(number)"}"#,
            replayOf: number.isMultiple(of: 3) ? Sample.id(300) : nil, createdAt: Sample.now + .seconds(Int64(number)),
            state: state ?? .pending(next: Sample.now + .seconds(seconds)), attemptCount: lastAttempt == nil ? 0 : 3,
            lastAttempt: lastAttempt)
    }

    private func make(_ kind: StoreKind, webhooks numbers: [Int] = [1]) async throws -> StoreUnderTest {
        let store = try await kind.make()
        try await store.write { store in
            try store.insert(Sample.organization(Self.other))
            for number in numbers { try store.insert(webhook(number)) }
        }
        return store
    }

    @Test(arguments: StoreKind.allCases)
    func `a webhook comes back as it went in, changes, and is gone with its deliveries`(kind: StoreKind) async throws {
        let store = try await make(kind, webhooks: [1, 2])
        for number in [1, 2] {
            #expect(try await store.read { try $0.webhook(Sample.id(number)) } == webhook(number))
        }
        var changed = webhook(1)
        changed.url = "https://example.org/"
        changed.rotateSecret(to: [3], keepingEarlierFor: .hours(24), at: Sample.now)
        changed.noteAttempt(succeeded: false, at: Sample.now + .seconds(3))
        let expected = changed
        try await store.write { store in
            try store.update(expected)
            try store.insert(delivery(1))
            try store.insert(delivery(2, of: 2))
        }
        #expect(try await store.read { try $0.webhook(Sample.id(1)) } == expected)
        try await store.write { try $0.deleteWebhook(Sample.id(1)) }
        #expect(try await store.read { try $0.webhook(Sample.id(1)) } == nil)
        #expect(try await store.read { try $0.delivery(Sample.id(101)) } == nil)
        #expect(try await store.read { try $0.delivery(Sample.id(102)) } != nil)
    }

    @Test(arguments: StoreKind.allCases)
    func `webhooks are listed newest first, in pages, each organization's own`(kind: StoreKind) async throws {
        let store = try await make(kind, webhooks: [3, 1, 2])
        try await store.write { try $0.insert(webhook(4, of: Self.other)) }
        func ids(after cursor: ListCursor? = nil, limit: Int? = nil) async throws -> [UUIDValue] {
            try await store.read { try $0.webhooks(of: Sample.organizationID, after: cursor, limit: limit).map(\.id) }
        }
        #expect(try await ids() == [3, 2, 1].map(Sample.id))
        #expect(try await ids(limit: 1) == [Sample.id(3)])
        let behind = ListCursor(createdAt: Sample.now + .seconds(3), id: Sample.id(3))
        #expect(try await ids(after: behind, limit: 5) == [2, 1].map(Sample.id))
        #expect(try await store.read { try $0.webhookCount(of: Sample.organizationID) } == 3)
        #expect(try await Set(store.read { try $0.webhookIDs() }) == Set([1, 2, 3, 4].map(Sample.id)))
    }

    @Test(arguments: StoreKind.allCases)
    func `a delivery comes back as it went in, in every state`(kind: StoreKind) async throws {
        let store = try await make(kind)
        let attempt = WebhookDelivery.Attempt(at: Sample.now, status: 503, error: "no", milliseconds: 12)
        let silent = WebhookDelivery.Attempt(at: Sample.now, status: nil, error: "no answer", milliseconds: 15_000)
        let taken = WebhookDelivery.Attempt(at: Sample.now, status: 200, error: nil, milliseconds: 1)
        let all = [
            delivery(1), delivery(2, due: 9, attempt), delivery(3, state: .exhausted(at: Sample.now), silent),
            delivery(4, state: .delivered(at: Sample.now), taken),
        ]
        for one in all {
            try await store.write { try $0.insert(one) }
            #expect(try await store.read { try $0.delivery(one.id) } == one)
        }
        let replaced = delivery(1, state: .delivered(at: Sample.now), taken)
        try await store.write { try $0.update(replaced) }
        #expect(try await store.read { try $0.delivery(replaced.id) } == replaced)
        #expect(
            try await store.read { try $0.deliveries(of: Sample.id(1), after: nil, limit: 2).map(\.id) }
                == [104, 103].map(Sample.id))
        #expect(
            try await store.read { try $0.oldestDeliveries(of: Sample.id(1), limit: 2).map(\.id) } == [101, 102].map(Sample.id))
        #expect(try await store.read { try $0.deliveryCount(of: Sample.id(1)) } == 4)
    }

    @Test(arguments: StoreKind.allCases)
    func `what is due is found by webhook, and when the next will be`(kind: StoreKind) async throws {
        let store = try await make(kind, webhooks: [1, 2, 3])
        try await store.write { store in
            for (number, webhook, due) in [(1, 1, 5), (2, 1, 3), (3, 1, 9), (4, 2, 7)] {
                try store.insert(delivery(number, of: webhook, due: Int64(due)))
            }
        }
        func due(_ seconds: Int64) async throws -> Set<UUIDValue> {
            try await Set(store.read { try $0.webhooks(dueUpTo: Sample.now + .seconds(seconds)).map(\.subscription) })
        }
        func next(_ seconds: Int64) async throws -> Timestamp? {
            try await store.read { try $0.nextDelivery(after: Sample.now + .seconds(seconds)) }
        }
        #expect(try await due(2) == [])
        #expect(try await next(2) == Sample.now + .seconds(3))
        #expect(try await due(3) == [Sample.id(1)])
        #expect(try await next(3) == Sample.now + .seconds(7))
        #expect(try await due(9) == [Sample.id(1), Sample.id(2)])
        #expect(try await next(9) == nil)
        let ids = try await store.read {
            try $0.deliveries(of: Sample.id(1), dueUpTo: Sample.now + .seconds(5), limit: 5).map(\.id)
        }
        #expect(ids == [102, 101].map(Sample.id))
        // An end, a delay and a removal each move what is next.
        try await store.write { try $0.update(delivery(2, state: .delivered(at: Sample.now))) }
        #expect(try await next(2) == Sample.now + .seconds(5))
        try await store.write { try $0.update(delivery(1, due: 20)) }
        #expect(try await next(2) == Sample.now + .seconds(7))
        try await store.write { try $0.deleteDelivery(Sample.id(104)) }
        #expect(try await next(2) == Sample.now + .seconds(9))
    }

    @Test(arguments: StoreKind.allCases)
    func `ended deliveries are forgotten by their end, pending ones never`(kind: StoreKind) async throws {
        let store = try await make(kind)
        try await store.write { store in
            try store.insert(delivery(1))
            for number in 2...4 {
                try store.insert(delivery(number, state: .delivered(at: Sample.now + .seconds(Int64(number)))))
            }
        }
        func forget(_ seconds: Int64, _ limit: Int) async throws -> Int {
            try await store.write { try $0.forgetDeliveries(endedUpTo: Sample.now + .seconds(seconds), limit: limit) }
        }
        #expect(try await forget(1, 10) == 0)
        #expect(try await forget(9, 2) == 2)
        #expect(
            try await store.read { try $0.deliveries(of: Sample.id(1), after: nil, limit: nil).map(\.id) }
                == [104, 101].map(Sample.id))
        #expect(try await forget(9, 2) == 1)
        #expect(try await store.read { try $0.deliveryCount(of: Sample.id(1)) } == 1)
    }
}
