import Synchronization
import TestSupport
import TunnelDomain
import TunnelService
import TunnelWire

/// The use cases, a dispatcher, and a receiver that answers as a test says.
struct WebhookHarness: Sendable {
    let service: ServiceHarness
    let receiver: ScriptedReceiver
    let dispatcher: DeliverWebhooks
    /// Every attempt that was written down.
    let attempts: Attempts
    var ports: ServicePorts { service.ports }

    init(
        _ service: ServiceHarness? = nil, limits: WebhookLimits = WebhookLimits(),
        answering answer: @escaping @Sendable (Int) -> WebhookAnswer = { _ in .status(204, retryAfter: nil) }
    ) async throws {
        let service = if let service { service } else { try await ServiceHarness() }
        let (receiver, attempts) = (ScriptedReceiver(answer), Attempts())
        self.service = service
        self.receiver = receiver
        self.attempts = attempts
        dispatcher = DeliverWebhooks(
            ports: service.ports, limits: limits, cryptography: MemoryCryptography(), transport: receiver,
            // Time passes when the test says so, and rings.
            pause: { _ in try await Task.sleep(for: .seconds(3_600)) }, note: { attempts.add($0) })
        let running = dispatcher
        Task { await running.run() }
    }

    func subscribe(
        _ patterns: [String] = ["*"], url: String = "https://example.com/hooks", by call: CallContext? = nil,
        owner: CreateWebhook.Owner = .organization
    ) async throws -> CreateWebhook.Created {
        let request = CreateWebhook.Request(
            url: try WebhookURL(parsing: url), filter: try EventFilter(patterns), description: nil, owner: owner)
        return try await ports.commit { store, now in
            try CreateWebhook(ports: ports, rules: service.rules).decide(request, by: call ?? service.admin, in: store, at: now)
        }
    }

    /// Something that subscribers are told of.
    func happen(_ count: Int = 1, to organizationID: OrganizationID? = nil, identityID: IdentityID? = nil) async throws {
        let id = organizationID ?? service.home.organization.id
        for number in 0..<count {
            try await ports.commit { _, _ in
                let data = [EventDraft.Member("n", "\(number)")]
                return Change(
                    (), events: [EventDraft(.keyCreated, organizationID: id, identityID: identityID, data: data)])
            }
        }
    }

    /// Lets time pass, and tells the dispatcher.
    func advance(by duration: Duration) {
        service.clock.advance(by: duration)
        ports.feed.announceDeliveries()
    }

    var deliveries: [WebhookDelivery] {
        service.store.contents.deliveries.values.sorted { ($0.createdAt, $0.id) < ($1.createdAt, $1.id) }
    }
}

/// Remembers calls, and answers them by their number, counted from 0.
final class ScriptedReceiver: WebhookTransport {
    struct Call: Sendable {
        let url: String
        let body: String
        let fields: [WebhookField]

        subscript(name: String) -> String? { fields.first { $0.name == name }?.value }
    }

    private let answer: @Sendable (Int) -> WebhookAnswer
    private let received = Mutex<[Call]>([])
    private let gates = Mutex<[String: Gate]>([:])

    init(_ answer: @escaping @Sendable (Int) -> WebhookAnswer) { self.answer = answer }

    var calls: [Call] { received.withLock { $0 } }

    /// Calls to URLs with this beginning wait until the gate is opened.
    func hold(_ prefix: String, _ gate: Gate) { gates.withLock { $0[prefix] = gate } }

    func post(_ body: [UInt8], fields: [WebhookField], to url: WebhookURL) async -> WebhookAnswer {
        let number = received.withLock { calls in
            calls.append(Call(url: url.text, body: String(decoding: body, as: UTF8.self), fields: fields))
            return calls.count - 1
        }
        let gate = gates.withLock { $0.first { url.text.hasPrefix($0.key) }?.value }
        await gate?.arrive()
        return answer(number)
    }
}

/// Attempts as they are written down; a test waits for the next ones.
final class Attempts: Sendable {
    private let stream: AsyncStream<WebhookDelivery>
    private let feed: AsyncStream<WebhookDelivery>.Continuation

    init() { (stream, feed) = AsyncStream.makeStream() }

    func add(_ delivery: WebhookDelivery) { feed.yield(delivery) }

    /// The next so many.
    func take(_ count: Int) async -> [WebhookDelivery] {
        var taken: [WebhookDelivery] = []
        for await one in stream {
            taken.append(one)
            if taken.count == count { break }
        }
        return taken
    }
}

/// Codes that depend on key and message, and are no cryptography.
struct MemoryCryptography: WebhookCryptography {
    func sha256(_ bytes: [UInt8]) -> [UInt8] { MemoryHasher().sha256(bytes) }
    func authenticationCode(_ hash: WebhookHash, for message: [UInt8], key: [UInt8]) -> [UInt8] {
        MemoryHasher().sha256(key + [0] + message)
    }
    func isSignature(_ signature: [UInt8], of message: [UInt8], publicKey: [UInt8]) -> Bool { false }
    func signature(of message: [UInt8], seed: [UInt8]) -> [UInt8]? { nil }
}
