internal import TunnelDomain
internal import TunnelWire

/// The secrets that webhooks are signed with: made here, kept encrypted, opened to sign.
struct WebhookSecrets {
    let ports: ServicePorts

    /// A new secret: `whsec_` and base64, as Standard Webhooks writes it.
    func make() -> String { "whsec_" + Base64.encode(ports.randomness.bytes(WebhookLimits.secretByteCount)) }

    func seal(_ text: String, of webhookID: UUIDValue) throws -> [UInt8] {
        try ports.sealer.seal(Array(text.utf8), context: context(webhookID))
    }

    /// The keys that deliveries are signed with now, the newest first; none when the service's sealing key is not the one
    /// that they were sealed with.
    func keys(of webhook: WebhookRecord, at now: Timestamp) -> [[UInt8]] {
        let earlier = webhook.earlierSecret.flatMap { now < $0.validUntil ? $0.sealed : nil }
        return [webhook.sealedSecret, earlier].compactMap { sealed in
            sealed.flatMap { ports.sealer.open($0, context: context(webhook.id)) }
                .flatMap { WebhookSecretForm.whsec.bytes(of: String(decoding: $0, as: UTF8.self)) }
        }
    }

    /// Binds the secret to its webhook, so that rows cannot be swapped.
    private func context(_ webhookID: UUIDValue) -> [UInt8] { Array("webhook-secret\u{0}\(webhookID.text)".utf8) }
}
