import TestSupport
import Testing
import TunnelDomain
import TunnelService
import TunnelWire

struct DeliverWebhooksTests {
    @Test func `an event is delivered to who wants it, signed, and written down`() async throws {
        let harness = try await WebhookHarness()
        let webhook = try await harness.subscribe(["key.*"])
        _ = try await harness.subscribe(["tunnel.*"], url: "https://example.com/others")
        try await harness.happen()
        let delivery = try #require(await harness.attempts.take(1).first)
        #expect(delivery.subscriptionID == webhook.webhook.id)
        #expect(delivery.state == .delivered(at: harness.service.clock.now))
        #expect(delivery.attemptCount == 1 && delivery.lastAttempt?.status == 204 && delivery.lastAttempt?.error == nil)
        #expect(harness.deliveries == [delivery])

        let call = try #require(harness.receiver.calls.first)
        let event = try #require(harness.service.store.contents.events.last)
        #expect(call.url == "https://example.com/hooks")
        #expect(call.body == event.documentJSON)
        #expect(call["webhook-id"] == event.id.text)
        #expect(call["content-type"] == "application/json")
        let seconds = String(harness.service.clock.now.secondsSinceEpoch)
        #expect(call["webhook-timestamp"] == seconds)
        let key = try #require(WebhookSecretForm.whsec.bytes(of: webhook.secret))
        let message = Array("\(event.id.text).\(seconds).\(call.body)".utf8)
        let code = MemoryCryptography().authenticationCode(.sha256, for: message, key: key)
        #expect(call["webhook-signature"] == "v1," + Base64.encode(code))
        #expect(call["x-inkbox-signature"] == nil)
        #expect(key.count == 32)
    }

    @Test func `an organization hears nothing of another, and an identity's subscription only of that identity`() async throws {
        let harness = try await WebhookHarness()
        let foreign = harness.service.foreign
        let stranger = CallContext(
            principal: foreign.keyRecord.principal, actor: foreign.keyRecord.actor, ip: "192.0.2.8", requestID: "req-2")
        _ = try await harness.subscribe(url: "https://foreign.example/", by: stranger)
        let all = try await harness.subscribe()
        let identityID = IdentityID(UUIDValue(high: 1, low: 1))
        try await harness.happen(identityID: identityID)
        #expect(await harness.attempts.take(1).map(\.subscriptionID) == [all.webhook.id])
        let webhook = all.webhook
        let bound = WebhookRecord(
            id: webhook.id, organizationID: webhook.organizationID, identityID: identityID, url: webhook.url,
            eventTypes: ["*"], description: nil, sealedSecret: [], createdAt: webhook.createdAt, updatedAt: webhook.updatedAt)
        #expect(bound.wants(EventDraft(.keyCreated, organizationID: webhook.organizationID, identityID: identityID, data: [])))
        #expect(!bound.wants(EventDraft(.keyCreated, organizationID: webhook.organizationID, data: [])))
    }

    @Test func `what fails is tried again by the plan, the same bytes each time, until it is taken`() async throws {
        let harness = try await WebhookHarness { $0 < 3 ? .status(500, retryAfter: nil) : .status(200, retryAfter: nil) }
        let webhook = try await harness.subscribe().webhook
        try await harness.happen()
        let began = harness.service.clock.now
        for count in 1...3 {
            let delivery = try #require(await harness.attempts.take(1).first)
            #expect(delivery.attemptCount == count && delivery.lastAttempt?.status == 500)
            #expect(harness.service.store.contents.webhooks[webhook.id]?.failingSince == began)
            let next = try #require(delivery.nextAttemptAt)
            let wait = next - harness.service.clock.now
            let full = DeliveryRetryPlan().delay(afterFailures: count)
            #expect((full / 2...full).contains(wait))
            harness.advance(by: wait)
        }
        let last = try #require(await harness.attempts.take(1).first)
        #expect(last.state == .delivered(at: harness.service.clock.now) && last.attemptCount == 4)
        #expect(harness.service.store.contents.webhooks[webhook.id]?.failingSince == nil)
        #expect(Set(harness.receiver.calls.map(\.body)).count == 1)
        #expect(Set(harness.receiver.calls.map { $0["webhook-id"] }).count == 1)
        #expect(Set(harness.receiver.calls.map { $0["webhook-timestamp"] }).count == 4)
    }

    @Test func `after a day it is given up, and can be delivered once more`() async throws {
        let harness = try await WebhookHarness { _ in .failed("no route to host") }
        _ = try await harness.subscribe()
        try await harness.happen()
        var delivery = try #require(await harness.attempts.take(1).first)
        while let next = delivery.nextAttemptAt {
            harness.advance(by: next - harness.service.clock.now)
            delivery = try #require(await harness.attempts.take(1).first)
        }
        #expect(delivery.state == .exhausted(at: harness.service.clock.now))
        #expect(delivery.lastAttempt?.error == "no route to host" && delivery.lastAttempt?.status == nil)
        #expect(harness.service.clock.now - delivery.createdAt <= .hours(24))

        let exhausted = delivery
        let replay = try await harness.ports.commit {
            try ReplayDelivery(ports: harness.ports).decide(exhausted.id, by: harness.service.admin, in: $0, at: $1)
        }
        harness.ports.feed.announceDeliveries()
        let again = try #require(await harness.attempts.take(1).first)
        #expect(again.id == replay.id && again.replayOf == delivery.id)
        #expect(again.eventID == delivery.eventID && again.body == delivery.body && again.attemptCount == 1)
    }

    @Test(
        arguments: [
            (.status(301, retryAfter: nil), "redirects"), (.status(404, retryAfter: nil), "404"),
            (.status(199, retryAfter: nil), "199"), (.failed("timed out"), "timed out"),
        ] as [(WebhookAnswer, String)])
    func `only a status from 200 to 299 counts`(answer: WebhookAnswer, words: String) async throws {
        let harness = try await WebhookHarness { _ in answer }
        _ = try await harness.subscribe()
        try await harness.happen()
        let delivery = try #require(await harness.attempts.take(1).first)
        #expect(delivery.isPending && delivery.lastAttempt?.error?.contains(words) == true)
    }

    @Test func `a receiver's wish to be left alone is heard`() async throws {
        let harness = try await WebhookHarness { _ in .status(429, retryAfter: .seconds(600)) }
        _ = try await harness.subscribe()
        try await harness.happen()
        let delivery = try #require(await harness.attempts.take(1).first)
        #expect(delivery.nextAttemptAt == harness.service.clock.now + .seconds(600))
    }

    @Test func `what an earlier process left undone is delivered`() async throws {
        let service = try await ServiceHarness()
        do {
            let before = try await WebhookHarness(service)
            await before.dispatcher.stop()
            _ = try await before.subscribe()
            try await before.happen(5)
            #expect(before.receiver.calls.isEmpty)
        }
        let ports = ServicePorts(
            store: service.store, clock: service.clock, randomness: MemoryRandomness(seed: 9), hasher: MemoryHasher(),
            sealer: MemorySealer(), issuer: nil, events: service.events, presence: service.presence)
        let (receiver, attempts) = (ScriptedReceiver { _ in .status(200, retryAfter: nil) }, Attempts())
        let after = DeliverWebhooks(
            ports: ports, limits: WebhookLimits(), cryptography: MemoryCryptography(), transport: receiver,
            note: { attempts.add($0) })
        let running = Task { await after.run() }
        #expect(await Set(attempts.take(5).map(\.eventID)).count == 5)
        await after.stop()
        await running.value
    }

    @Test func `a receiver that does not answer holds up nobody else`() async throws {
        var limits = WebhookLimits()
        (limits.slots.total, limits.slots.perOrganization, limits.slots.perSubscription) = (3, 2, 2)
        let harness = try await WebhookHarness(limits: limits)
        let gate = Gate()
        harness.receiver.hold("https://slow.example", gate)
        _ = try await harness.subscribe(url: "https://slow.example/")
        let foreign = harness.service.foreign
        let stranger = CallContext(
            principal: foreign.keyRecord.principal, actor: foreign.keyRecord.actor, ip: "192.0.2.8", requestID: "req-2")
        let quick = try await harness.subscribe(url: "https://quick.example/", by: stranger)
        try await harness.happen(10)
        try await harness.happen(10, to: foreign.organization.id)
        let done = await harness.attempts.take(10)
        #expect(done.allSatisfy { $0.subscriptionID == quick.webhook.id })
        #expect(harness.receiver.calls.count { $0.url == "https://slow.example/" } <= 2)
        await gate.open()
        #expect(await harness.attempts.take(10).allSatisfy { $0.subscriptionID != quick.webhook.id })
    }

    @Test func `each delivery is under way once, however often the dispatcher is woken`() async throws {
        let harness = try await WebhookHarness()
        let gate = Gate()
        harness.receiver.hold("https://example.com", gate)
        _ = try await harness.subscribe()
        try await harness.happen(3)
        await gate.someoneArrived()
        for _ in 0..<50 { harness.ports.feed.announceDeliveries() }
        await gate.open()
        #expect(await Set(harness.attempts.take(3).map(\.id)).count == 3)
        await harness.dispatcher.stop()
        #expect(harness.receiver.calls.count == 3)
    }

    @Test func `a subscription that is deleted gets nothing more, and its attempt under way ends quietly`() async throws {
        let harness = try await WebhookHarness()
        let gate = Gate()
        harness.receiver.hold("https://example.com", gate)
        let webhook = try await harness.subscribe().webhook
        try await harness.happen(1)
        await gate.someoneArrived()
        try await harness.ports.commit {
            try DeleteWebhook(ports: harness.ports).decide(webhook.id, by: harness.service.admin, in: $0, at: $1)
        }
        await gate.open()
        await harness.dispatcher.stop()
        #expect(harness.deliveries.isEmpty && harness.receiver.calls.count == 1)
    }

    @Test func `stopping waits for what is under way and begins nothing`() async throws {
        let harness = try await WebhookHarness()
        let gate = Gate()
        harness.receiver.hold("https://example.com", gate)
        _ = try await harness.subscribe()
        try await harness.happen(1)
        await gate.someoneArrived()
        async let stopped: Void = harness.dispatcher.stop()
        await gate.open()
        await stopped
        #expect(harness.deliveries.map(\.isPending) == [false])
        try await harness.happen(1)
        #expect(harness.receiver.calls.count == 1)
    }

    @Test func `a URL in clear text is called only where the operator allows it`() async throws {
        let harness = try await WebhookHarness()
        _ = try await harness.subscribe(url: "http://example.com/")
        try await harness.happen()
        let delivery = try #require(await harness.attempts.take(1).first)
        #expect(delivery.isPending && delivery.lastAttempt?.error?.contains("http:") == true)
        #expect(harness.receiver.calls.isEmpty)
    }

    // MARK: Secrets

    @Test func `after a rotation both secrets sign for a day`() async throws {
        let harness = try await WebhookHarness()
        let created = try await harness.subscribe()
        let new = try await harness.ports.commit {
            try RotateWebhookSecret(ports: harness.ports).decide(
                created.webhook.id, by: harness.service.admin, in: $0, at: $1)
        }
        #expect(new != created.secret)
        try await harness.happen()
        _ = await harness.attempts.take(1)
        harness.service.clock.advance(by: .hours(24))
        try await harness.happen()
        _ = await harness.attempts.take(1)
        let signatures = harness.receiver.calls.map { $0["webhook-signature"]?.split(separator: " ") ?? [] }
        #expect(signatures.map(\.count) == [2, 1])
        #expect(signatures.joined().allSatisfy { $0.hasPrefix("v1,") })
        for (call, secrets) in zip(harness.receiver.calls, [[new, created.secret], [new]]) {
            let message = "\(call["webhook-id"] ?? "").\(call["webhook-timestamp"] ?? "").\(call.body)"
            let expected = secrets.compactMap { WebhookSecretForm.whsec.bytes(of: $0) }.map {
                "v1," + Base64.encode(MemoryCryptography().authenticationCode(.sha256, for: Array(message.utf8), key: $0))
            }
            #expect(call["webhook-signature"] == expected.joined(separator: " "))
        }
    }

    @Test func `secrets lie encrypted in the store, each bound to its webhook`() async throws {
        let harness = try await WebhookHarness()
        let (one, two) = (try await harness.subscribe(), try await harness.subscribe(url: "https://two.example/"))
        #expect(!one.webhook.sealedSecret.contains(Array(one.secret.utf8)))
        let swapped = two.webhook
        harness.service.store.arrange { tables in
            tables.webhooks[one.webhook.id] = WebhookRecord(
                id: one.webhook.id, organizationID: one.webhook.organizationID, identityID: nil, url: one.webhook.url,
                eventTypes: ["*"], description: nil, sealedSecret: swapped.sealedSecret, createdAt: one.webhook.createdAt,
                updatedAt: one.webhook.updatedAt)
        }
        try await harness.happen()
        let done = await harness.attempts.take(2)
        #expect(done.first { $0.subscriptionID == one.webhook.id }?.lastAttempt?.error?.contains("secret") == true)
        #expect(done.first { $0.subscriptionID == two.webhook.id }?.lastAttempt?.error == nil)
    }

    // MARK: Bounds of the log

    @Test func `the log forgets what ended long ago, and gives up the oldest when there is too much`() async throws {
        var limits = WebhookLimits()
        limits.keptCountMax = 10
        let harness = try await WebhookHarness(limits: limits)
        _ = try await harness.subscribe()
        try await harness.happen(3)
        _ = await harness.attempts.take(3)
        let forget = ForgetDeliveries(ports: harness.ports, limits: limits)
        harness.service.clock.advance(by: .days(7) - .microseconds(1))
        #expect(try await forget() == .init())
        harness.service.clock.advance(by: .microseconds(1))
        #expect(try await forget() == .init(forgotten: 3))

        await harness.dispatcher.stop()
        try await harness.happen(12)
        let newest = Set(harness.deliveries.suffix(10).map(\.id))
        #expect(try await forget() == .init(forgotten: 2, givenUp: 2))
        #expect(Set(harness.deliveries.map(\.id)) == newest)
    }
}
