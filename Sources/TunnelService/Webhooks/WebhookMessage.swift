internal import TunnelDomain
internal import TunnelWire

/// One attempt's request: the fields that identify and sign a body.
struct WebhookMessage {
    /// The text that receivers see in their logs.
    static let userAgent = "Culvert-Webhooks/1"

    let signer: WebhookSigner

    /// The fields for a body, signed by Standard Webhooks with each of the webhook's keys, and by Inkbox's rule when the
    /// event's identity has a signing key.
    ///
    /// - Throws: `WebhookSigner.Flaw` when there is no key to sign with.
    func fields(
        of delivery: WebhookDelivery, keys: [[UInt8]], identityKey: [UInt8]?, at now: Timestamp
    ) throws(WebhookSigner.Flaw) -> [WebhookField] {
        let request = WebhookRequest(
            method: "POST", target: "", origin: "", fields: [], body: Array(delivery.body.utf8), address: "", receivedAt: now)
        let id = delivery.eventID.text
        var fields = try signer.fields(for: request, by: .standardWebhooks(sharedKeys: keys, publicKeys: []), id: id)
        let others = try keys.dropFirst().map { key throws(WebhookSigner.Flaw) in
            try signer.fields(for: request, by: .standardWebhooks(sharedKeys: [key], publicKeys: []), id: id)
                .last?.value ?? ""
        }
        // While a secret changes, several signatures stand in the field, separated by spaces.
        if let last = fields.indices.last { fields[last].value = ([fields[last].value] + others).joined(separator: " ") }
        if let identityKey { fields += try signer.fields(for: request, by: .inkbox(secrets: [identityKey]), id: id) }
        return [WebhookField("content-type", "application/json"), WebhookField("user-agent", Self.userAgent)] + fields
    }
}
