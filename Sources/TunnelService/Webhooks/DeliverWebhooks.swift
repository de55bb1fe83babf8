internal import TunnelDomain
package import TunnelWire

/// Delivers what is due, again and again until it is taken or given up: at least once, in no promised order.
///
/// The store holds what is to be done, so a restart goes on where the service was; memory holds only who is being called.
package actor DeliverWebhooks {
    /// Hears of every attempt, for metrics.
    package typealias Note = @Sendable (_ delivery: WebhookDelivery) -> Void
    /// Hears of faults of the store.
    package typealias FaultNote = @Sendable (any Error) -> Void

    /// When the store has failed, it is asked again after this.
    static let faultPause: Duration = .seconds(5)
    /// A wait without anything due is looked after at least so often, for a clock that was set.
    static let waitMax: Duration = .seconds(60)

    private let ports: ServicePorts
    private let limits: WebhookLimits
    private let message: WebhookMessage
    private let transport: any WebhookTransport
    private let pause: EventBell.Pause
    private let note: Note
    private let noteFault: FaultNote
    private let bell: EventBell
    private var slots: DeliverySlots
    private var underWay: Set<UUIDValue> = []
    private var idleWaiters: [CheckedContinuation<Void, Never>] = []

    package init(
        ports: ServicePorts, limits: WebhookLimits, cryptography: any WebhookCryptography, transport: any WebhookTransport,
        pause: @escaping EventBell.Pause = { try await Task.sleep(for: $0) }, note: @escaping Note = { _ in },
        noteFault: @escaping FaultNote = { _ in }
    ) {
        self.ports = ports
        self.limits = limits
        message = WebhookMessage(signer: WebhookSigner(cryptography: cryptography))
        self.transport = transport
        self.pause = pause
        self.note = note
        self.noteFault = noteFault
        bell = ports.feed.joinAll()
        slots = DeliverySlots(limits: limits.slots)
    }

    /// Works until it is stopped.
    package func run() async {
        while !bell.isClosed {
            _ = await bell.wait(atMost: await begin(), pause: pause)
        }
    }

    /// Begins nothing new, and returns when what is under way has ended.
    package func stop() async {
        bell.close()
        if underWay.isEmpty { return }
        await withCheckedContinuation { idleWaiters.append($0) }
    }

    /// Begins as many deliveries as there is room for; returns how long there is nothing more to do.
    private func begin() async -> Duration {
        do {
            let (due, next, now) = try await ports.look { store, now in
                (try store.webhooks(dueUpTo: now), try store.nextDelivery(after: now), now)
            }
            var candidates = Set(due)
            while !bell.isClosed, let chosen = slots.take(from: candidates) {
                if let delivery = try await claim(chosen) {
                    underWay.insert(delivery.id)
                    Task { await self.deliver(delivery, chosen) }
                } else {
                    slots.release(chosen)
                    candidates.remove(chosen)
                }
            }
            return min(next.map { $0 - now } ?? Self.waitMax, Self.waitMax)
        } catch {
            noteFault(error)
            return Self.faultPause
        }
    }

    /// The webhook's next delivery that is due and not under way. The slot is taken already, and given back on failure.
    private func claim(_ candidate: DeliverySlots.Candidate) async throws -> WebhookDelivery? {
        do {
            let limit = limits.slots.perSubscription + 1
            let due = try await ports.look { store, now in
                try store.deliveries(of: candidate.subscription, dueUpTo: now, limit: limit)
            }
            return due.first { !underWay.contains($0.id) }
        } catch {
            slots.release(candidate)
            throw error
        }
    }

    private func deliver(_ delivery: WebhookDelivery, _ slot: DeliverySlots.Candidate) async {
        do {
            try await attempt(delivery)
        } catch {
            noteFault(error)
            // It stays due; without a pause it would be tried again at once, and again.
            try? await pause(Self.faultPause)
        }
        underWay.remove(delivery.id)
        slots.release(slot)
        bell.ring()
        guard underWay.isEmpty else { return }
        for waiter in idleWaiters { waiter.resume() }
        idleWaiters = []
    }

    // MARK: One attempt

    private func attempt(_ delivery: WebhookDelivery) async throws {
        let (call, now) = try await ports.look { store, now in (try prepare(delivery, in: store, at: now), now) }
        guard let call else { return }
        let began = ContinuousClock.now
        let answer = await send(call, delivery)
        let milliseconds = Int((ContinuousClock.now - began).wholeMicroseconds / 1_000)
        let attempt = WebhookDelivery.Attempt(at: max(now, ports.clock.now), answer, milliseconds: milliseconds)
        try await record(attempt, wish: answer.wish, of: delivery.id)
    }

    private enum Call: Sendable {
        case post(WebhookURL, [WebhookField])
        case impossible(String)
    }

    /// Nil when the webhook or the delivery is gone, or ended, meanwhile.
    private nonisolated func prepare(
        _ delivery: WebhookDelivery, in store: any StoreReading, at now: Timestamp
    ) throws -> Call? {
        guard try store.delivery(delivery.id)?.isPending == true, let webhook = try store.webhook(delivery.subscriptionID)
        else { return nil }
        let identityKey = try delivery.identityID.flatMap { try SigningKeys(ports: ports).signingKey(of: $0, in: store) }
        do {
            let url = try WebhookURL(parsing: webhook.url)
            guard url.isTLS || limits.allowsHTTP else { return .impossible("the operator does not allow http: URLs") }
            let keys = WebhookSecrets(ports: ports).keys(of: webhook, at: now)
            let fields = try message.fields(
                of: delivery, keys: keys, identityKey: identityKey.flatMap { WebhookSecretForm.inkbox.bytes(of: $0) }, at: now)
            return .post(url, fields)
        } catch is WebhookSigner.Flaw {
            return .impossible("the signing secret cannot be read; rotate it")
        } catch let flaw as WebhookURL.Flaw {
            return .impossible("the URL cannot be used: \(flaw)")
        }
    }

    private func send(_ call: Call, _ delivery: WebhookDelivery) async -> WebhookAnswer {
        switch call {
        case .impossible(let why): .failed(why)
        case .post(let url, let fields): await transport.post(Array(delivery.body.utf8), fields: fields, to: url)
        }
    }

    private func record(_ attempt: WebhookDelivery.Attempt, wish: Duration?, of id: UUIDValue) async throws {
        let recorded: WebhookDelivery? = try await ports.store.write { [limits, ports] store in
            guard var delivery = try store.delivery(id), delivery.isPending else { return nil }
            var random = PortGenerator(randomness: ports.randomness)
            delivery.attempted(attempt, wish: wish, limits.retryPlan, using: &random)
            try store.update(delivery)
            if var webhook = try store.webhook(delivery.subscriptionID) {
                let before = webhook
                webhook.noteAttempt(succeeded: attempt.succeeded, at: attempt.at)
                if webhook != before { try store.update(webhook) }
            }
            return delivery
        }
        if let recorded { note(recorded) }
    }
}

extension WebhookAnswer {
    fileprivate var wish: Duration? {
        switch self {
        case .status(_, let retryAfter): retryAfter
        case .failed: nil
        }
    }
}

extension WebhookDelivery.Attempt {
    fileprivate init(at moment: Timestamp, _ answer: WebhookAnswer, milliseconds: Int) {
        switch answer {
        case .failed(let why): self.init(at: moment, status: nil, error: why, milliseconds: milliseconds)
        case .status(let status, _):
            let error: String? =
                switch status {
                case 200..<300: nil
                case 300..<400: "the receiver redirects, and redirects are not followed"
                default: "the receiver answered \(status)"
                }
            self.init(at: moment, status: status, error: error, milliseconds: milliseconds)
        }
    }
}

/// The port's bytes as numbers.
struct PortGenerator: RandomNumberGenerator {
    let randomness: any Randomness

    mutating func next() -> UInt64 { randomness.bytes(8).reduce(0) { $0 << 8 | UInt64($1) } }
}
