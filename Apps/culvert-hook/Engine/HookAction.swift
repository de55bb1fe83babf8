import FileStorage
import TunnelDomain
import TunnelWire

/// One attempt that is to be made.
struct HookJob: Sendable {
    var route: RouteConfig
    var event: InboxEvent
    var runID: Int64
    var attempt: Int
    /// Where the lock of this run's program lies.
    var lockPath: String

    /// The event as a request again, for filters and values.
    var request: WebhookRequest {
        WebhookRequest(
            method: event.method, target: event.target, origin: "", fields: StoredFields.read(event.fields), body: event.body,
            address: event.address, receivedAt: event.receivedAt)
    }

    /// The value of a source; empty when the event has none.
    func value(of source: ValueSource, json: JSONValue?) -> String {
        switch source {
        case .fixed(let text): text
        case .event(let source): source.values(in: request, json: json).first ?? ""
        }
    }
}

/// What an attempt came to.
struct ActionOutcome: Sendable {
    enum Verdict: Sendable, Hashable {
        case success
        case failure
        /// Trying again is useless.
        case finalFailure
        /// It was stopped because the listener stops; it does not count.
        case givenBack
    }

    var verdict: Verdict
    /// A few words for the history.
    var detail: String
    var output: [UInt8] = []
    var contentType = "text/plain; charset=utf-8"
}

/// Something that is done for an event. It is told to stop by `HookStop`, and returns soon afterwards.
protocol HookAction: Sendable {
    func perform(_ job: HookJob, stop: HookStop) async -> ActionOutcome
}

/// Header fields as they are stored: a JSON array of pairs.
enum StoredFields {
    static func text(_ fields: [WebhookField]) -> String {
        String(
            decoding: JSONValue.array(fields.map { .array([.string($0.name), .string($0.value)]) }).serialized, as: UTF8.self)
    }

    static func read(_ text: String) -> [WebhookField] {
        guard case .array(let pairs)? = try? JSONValue(parsing: Array(text.utf8)) else { return [] }
        return pairs.compactMap { pair in
            guard case .array(let parts) = pair, parts.count == 2, let name = parts[0].stringValue,
                let value = parts[1].stringValue
            else { return nil }
            return WebhookField(name, value)
        }
    }
}
