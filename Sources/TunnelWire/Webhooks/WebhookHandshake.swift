/// What some senders ask once to see that the right one listens; the answer triggers nothing.
package struct WebhookHandshake: Sendable, Hashable {
    package var contentType: String
    package var body: [UInt8]

    /// The answer to a genuine webhook that is only a question; nil for an event.
    ///
    /// Slack sends `url_verification` with a challenge to repeat (docs.slack.dev, "url_verification"), Discord sends
    /// interaction type 1, PING, and wants 1, PONG (discord.com/developers, "Receiving an Interaction").
    package static func answer(to request: WebhookRequest, by scheme: WebhookScheme, json: JSONValue?) -> WebhookHandshake? {
        switch scheme {
        case .slack:
            guard json?["type"] == .string("url_verification"), let challenge = json?["challenge"]?.stringValue else {
                return nil
            }
            return WebhookHandshake(contentType: "text/plain; charset=utf-8", body: Array(challenge.utf8))
        case .discord:
            guard json?["type"] == .number("1") else { return nil }
            return WebhookHandshake(contentType: "application/json", body: Array(#"{"type":1}"#.utf8))
        case .all(let parts):
            return parts.lazy.compactMap { answer(to: request, by: $0, json: json) }.first
        case .standardWebhooks, .svix, .github, .stripe, .inkbox, .shopify, .gitlab, .twilio, .hmac, .bearer, .basic,
            .certificateSubject, .addresses, .none:
            return nil
        }
    }
}
