internal import TunnelDomain
package import TunnelWire

/// Calls the URLs of webhooks.
package protocol WebhookTransport: Sendable {
    /// Sends one POST and waits for the status; follows no redirect and keeps nothing of the answer's body.
    func post(_ body: [UInt8], fields: [WebhookField], to url: WebhookURL) async -> WebhookAnswer
}

/// What came of a call.
package enum WebhookAnswer: Sendable, Hashable {
    /// The status, and how long the receiver asks to be left alone.
    case status(Int, retryAfter: Duration?)
    /// There was no answer; the text says why and holds nothing of the request.
    case failed(String)
}
