/// How a sender proves itself, with what it is checked against.
package indirect enum WebhookScheme: Sendable, Hashable {
    /// Standard Webhooks 1.0 (standardwebhooks.com): `v1` with shared keys, `v1a` with Ed25519 public keys.
    case standardWebhooks(sharedKeys: [[UInt8]], publicKeys: [[UInt8]])
    /// The same under `svix-` names (docs.svix.com, "Verifying payloads manually").
    case svix(sharedKeys: [[UInt8]], publicKeys: [[UInt8]])
    /// `X-Hub-Signature-256` (docs.github.com, "Validating webhook deliveries").
    case github(secrets: [[UInt8]])
    /// `Stripe-Signature` with `v1` (docs.stripe.com/webhooks/signature).
    case stripe(secrets: [[UInt8]])
    /// `X-Slack-Signature` with `v0` (docs.slack.dev, "Verifying requests from Slack").
    case slack(secrets: [[UInt8]])
    /// `X-Inkbox-Signature`, as the Inkbox SDK's `verify_webhook` checks it.
    case inkbox(secrets: [[UInt8]])
    /// `X-Shopify-Hmac-SHA256` in base64 (shopify.dev, "Verify webhook deliveries").
    case shopify(secrets: [[UInt8]])
    /// `X-Gitlab-Token`, a shared word that signs nothing (docs.gitlab.com, "Webhooks").
    case gitlab(tokens: [[UInt8]])
    /// `X-Twilio-Signature` over URL and form (twilio.com/docs/usage/security).
    case twilio(secrets: [[UInt8]])
    /// `X-Signature-Ed25519` over timestamp and body (discord.com/developers, "Interactions").
    case discord(publicKeys: [[UInt8]])
    /// Any other HMAC.
    case hmac(HMACSignature, secrets: [[UInt8]])
    /// `Authorization: Bearer` (RFC 6750).
    case bearer(tokens: [[UInt8]])
    /// `Authorization: Basic` (RFC 7617); each credential is `user:password`.
    case basic(credentials: [[UInt8]])
    /// The subject of the client certificate, compared as text.
    case certificateSubject([String])
    /// The sender's address.
    case addresses([IPRange])
    /// Nobody is asked for anything.
    case none
    /// Every one of them.
    case all([WebhookScheme])
}

extension WebhookScheme {
    /// The word for it in configuration, history and metrics.
    package var name: String {
        switch self {
        case .standardWebhooks: "standard-webhooks"
        case .svix: "svix"
        case .github: "github"
        case .stripe: "stripe"
        case .slack: "slack"
        case .inkbox: "inkbox"
        case .shopify: "shopify"
        case .gitlab: "gitlab"
        case .twilio: "twilio"
        case .discord: "discord"
        case .hmac: "hmac"
        case .bearer: "bearer"
        case .basic: "basic"
        case .certificateSubject: "mtls"
        case .addresses: "addresses"
        case .none: "none"
        case .all(let parts): parts.map(\.name).joined(separator: "+")
        }
    }

    /// Where the sender puts the id that stays the same when it delivers again.
    package var deliveryID: DeliveryIDPlace? {
        switch self {
        case .standardWebhooks: .field("webhook-id")
        case .svix: .field("svix-id")
        case .github: .field("x-github-delivery")
        case .stripe, .discord: .pointer("/id")
        case .slack: .pointer("/event_id")
        case .inkbox: .field("x-inkbox-request-id")
        case .shopify: .field("x-shopify-webhook-id")
        case .gitlab: .field("idempotency-key")
        case .twilio: .field("i-twilio-idempotency-token")
        case .hmac, .bearer, .basic, .certificateSubject, .addresses, .none: nil
        case .all(let parts): parts.lazy.compactMap(\.deliveryID).first
        }
    }
}

/// Where a delivery's id stands.
package enum DeliveryIDPlace: Sendable, Hashable {
    /// In the field with this lower-case name.
    case field(String)
    /// In the JSON body, at this pointer (RFC 6901).
    case pointer(String)
}
