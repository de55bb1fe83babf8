import FileStorage
import Synchronization
import TLS
import TunnelDomain
import TunnelService
import TunnelWire

/// A webhook as one of the fronts took it.
struct IncomingHook: Sendable {
    var method: String
    var target: String
    var origin: String
    var fields: [WebhookField]
    var body: [UInt8]
    var address: String
}

/// What the sender is told.
struct HookReply: Sendable {
    var status: Int
    var contentType: String
    var body: [UInt8]
    var fields: [WebhookField] = []

    static func problem(_ status: Int, _ title: String, fields: [WebhookField] = []) -> HookReply {
        let document = ProblemDetails(type: "about:blank", title: title, status: status, detail: nil)
        return HookReply(status: status, contentType: ProblemDetails.contentType, body: document.json(), fields: fields)
    }
}

/// Takes webhooks: proves the sender, stores the event, and only then says yes.
final class Reception: Sendable {
    private let inbox: Inbox
    private let dispatcher: Dispatcher
    private let clock: any WallClock
    private let log: HookLog
    private let metrics: HookMetrics
    private let cryptography = OpenSSLWebhookCryptography()
    private let config: Mutex<HookConfig>

    init(
        config: HookConfig, inbox: Inbox, dispatcher: Dispatcher, clock: any WallClock, log: HookLog, metrics: HookMetrics
    ) {
        self.config = Mutex(config)
        self.inbox = inbox
        self.dispatcher = dispatcher
        self.clock = clock
        self.log = log
        self.metrics = metrics
    }

    func configure(_ new: HookConfig) { config.withLock { $0 = new } }

    /// Bytes of one body, and of all that are being received together.
    var bodyLimits: (each: Int, together: Int) { config.withLock { ($0.bodyByteCountMax, $0.receivingByteCountMax) } }

    let bodyRoom = BodyRoom()

    var tooLong: HookReply { .problem(413, "The body is longer than \(bodyLimits.each) bytes") }

    /// For whoever comes while others have taken all the room for bodies.
    var tooMuchAtOnce: HookReply { Self.busy(config.withLock { $0.limits.retryAfterSeconds }) }

    var metricsPath: String? { config.withLock { $0.metricsPath } }

    func metricsText() async -> String { metrics.text(commitCount: await inbox.commitCount) }

    /// The route that takes the request, or the answer when none does.
    enum Match {
        case route(RouteConfig)
        case none(HookReply)
    }

    func match(method: String, target: String) -> Match {
        let path = target.prefix { $0 != "?" }
        let routes = config.withLock { $0.routes.filter { $0.path == path } }
        if let route = routes.first(where: { $0.methods.contains(method) }) { return .route(route) }
        guard !routes.isEmpty else { return .none(.problem(404, "There is nothing here")) }
        let allowed = Set(routes.flatMap(\.methods)).sorted().joined(separator: ", ")
        return .none(.problem(405, "This method is not taken here", fields: [WebhookField("allow", allowed)]))
    }

    func receive(_ hook: IncomingHook) async -> HookReply {
        switch match(method: hook.method, target: hook.target) {
        case .none(let reply): return reply
        case .route(let route): return await receive(hook, by: route)
        }
    }

    private func receive(_ hook: IncomingHook, by route: RouteConfig) async -> HookReply {
        let request = WebhookRequest(
            method: hook.method, target: hook.target, origin: route.origin ?? hook.origin, fields: hook.fields, body: hook.body,
            address: hook.address, certificateSubject: subject(of: hook, by: route), receivedAt: clock.now)
        let verifier = WebhookVerifier(route.scheme, tolerance: route.tolerance, cryptography: cryptography)
        switch verifier.verdict(on: request) {
        case .refused(let why): return refuse(request, by: route, why)
        case .genuine(let proof): return await take(request, proof, by: route)
        }
    }

    private func subject(of hook: IncomingHook, by route: RouteConfig) -> String? {
        guard let field = route.subjectField, field.proxies.contains(where: { $0.contains(hook.address) }) else { return nil }
        let values = hook.fields.filter { $0.name == field.name }
        return values.count == 1 ? values[0].value : nil
    }

    /// Everybody who is not proven is told the same.
    private func refuse(_ request: WebhookRequest, by route: RouteConfig, _ why: WebhookRefusal) -> HookReply {
        metrics.count(.event, route: route.name, "refused")
        log.note(
            "webhook.refused",
            [("route", route.name), ("scheme", route.scheme.name), ("why", why.rawValue), ("address", request.address)])
        return .problem(401, "The sender is not proven")
    }

    private func take(_ request: WebhookRequest, _ proof: WebhookProof, by route: RouteConfig) async -> HookReply {
        let json = try? JSONValue(parsing: request.body)
        if let handshake = WebhookHandshake.answer(to: request, by: route.scheme, json: json) {
            metrics.count(.event, route: route.name, "handshake")
            return HookReply(status: 200, contentType: handshake.contentType, body: handshake.body)
        }
        guard await dispatcher.reserve(byteCount: request.body.count) else {
            metrics.count(.event, route: route.name, "no_room")
            log.note("inbox.full", [("route", route.name)])
            return await busy()
        }
        let verdict = route.filter.verdict(
            on: request, json: json, stepCountMax: config.withLock { $0.searchStepCountMax })
        let doubt = FilterDoubt(verdict)
        var event = InboxEvent(
            route: route.name, deliveryID: deliveryID(of: request, json, by: route), receivedAt: request.receivedAt,
            method: request.method, target: request.target, address: request.address,
            fields: StoredFields.text(request.fields.filter { !Self.isCredential($0.name) }), body: request.body,
            verdict: Self.text(of: proof), isWanted: verdict == .wanted, filterNote: doubt?.text)
        // An endless id would be an endless index.
        if let id = event.deliveryID, id.utf8.count > 256 { event.deliveryID = "sha256:" + Hex.encode(SHA256.hash(id)) }
        let line = route.orderBy.flatMap { json?.value(at: $0)?.plainText }
        do {
            let answer = try await inbox.accept(
                event, line: line, expiresAt: route.expiry.map { request.receivedAt + $0 },
                digest: digest(of: proof, at: request.receivedAt, by: route))
            return await reply(to: answer, request, by: route, doubt)
        } catch {
            await dispatcher.settle(byteCount: request.body.count, run: nil)
            metrics.count(.event, route: route.name, "store_failed")
            log.note("store.failed", [("route", route.name), ("error", "\(error)")])
            return await busy()
        }
    }

    private func reply(
        to answer: InboxAnswer, _ request: WebhookRequest, by route: RouteConfig, _ doubt: FilterDoubt?
    ) async -> HookReply {
        let byteCount = request.body.count
        switch answer {
        case .accepted(let eventID, let run?):
            metrics.count(.event, route: route.name, "accepted")
            guard let wait = route.response.wait else {
                await dispatcher.settle(byteCount: byteCount, run: run)
                return accepted(eventID, by: route)
            }
            guard let outcome = await dispatcher.outcome(of: run, byteCount: byteCount, within: wait) else {
                return accepted(eventID, by: route)
            }
            guard outcome.verdict == .success else { return .problem(502, "The action failed", fields: Self.mark(eventID)) }
            return HookReply(
                status: 200, contentType: outcome.contentType, body: outcome.output, fields: Self.mark(eventID))
        case .accepted(let eventID, nil):
            await dispatcher.settle(byteCount: byteCount, run: nil)
            metrics.count(.event, route: route.name, doubt == nil ? "filtered" : "undecided")
            if let doubt {
                log.note("filter.undecided", [("route", route.name), ("stored_event", "\(eventID)"), ("why", doubt.text)])
            }
            return accepted(eventID, by: route)
        case .duplicate(let eventID):
            await dispatcher.settle(byteCount: byteCount, run: nil)
            metrics.count(.event, route: route.name, "duplicate")
            return accepted(eventID, by: route)
        case .replayed:
            await dispatcher.settle(byteCount: byteCount, run: nil)
            return refuse(request, by: route, .replayed)
        }
    }

    private func accepted(_ eventID: Int64, by route: RouteConfig) -> HookReply {
        HookReply(
            status: route.response.status, contentType: route.response.contentType, body: Array(route.response.body.utf8),
            fields: Self.mark(eventID))
    }

    private static func mark(_ eventID: Int64) -> [WebhookField] { [WebhookField("x-hook-event-id", "\(eventID)")] }

    private func busy() async -> HookReply { Self.busy(await dispatcher.retryAfterSeconds) }

    private static func busy(_ seconds: Int) -> HookReply {
        .problem(503, "There is no room now; come back later", fields: [WebhookField("retry-after", "\(seconds)")])
    }

    private func deliveryID(of request: WebhookRequest, _ json: JSONValue?, by route: RouteConfig) -> String? {
        let id: String? =
            switch route.deliveryID {
            case .field(let name): request.only(name)
            case .pointer(let text): JSONPointer(text).flatMap { json?.value(at: $0) }?.plainText
            case nil: nil
            }
        return id?.isEmpty == true ? nil : id
    }

    /// What makes a replay known: for the time that the sender's own rules would take it, or as long as the route wants.
    private func digest(
        of proof: WebhookProof, at now: Timestamp, by route: RouteConfig
    ) -> (bytes: [UInt8], forgetAt: Timestamp)? {
        guard let bytes = proof.messageDigest else { return nil }
        if let end = proof.isReplayableUntil { return (bytes, end) }
        return route.replayWindow.map { (bytes, now + $0) }
    }

    /// Fields that are secrets are not kept.
    private static func isCredential(_ name: String) -> Bool {
        ["authorization", "x-gitlab-token", "cookie", "proxy-authorization"].contains(name)
    }

    private static func text(of proof: WebhookProof) -> String {
        let verdict = JSONValue.members([
            "scheme": .string(proof.scheme), "secret": proof.secretIndex.map { .integer($0) } ?? .null,
        ])
        return String(decoding: verdict.serialized, as: UTF8.self)
    }
}
