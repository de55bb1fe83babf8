internal import TunnelDomain

/// Signs webhooks as their senders do: for test events, and for handing an event on to someone who checks.
package struct WebhookSigner: Sendable {
    /// What cannot be signed with.
    package enum Flaw: Error, Hashable, CustomStringConvertible {
        /// A scheme that proves the sender without a secret cannot be imitated.
        case nothingToSignWith(String)
        /// Ed25519 needs the private key's 32 bytes, or 64 with the public key behind them.
        case notASigningKey

        package var description: String {
            switch self {
            case .nothingToSignWith(let name): "“\(name)” has no secret to sign with"
            case .notASigningKey: "Ed25519 signs with a private key of 32 bytes"
            }
        }
    }

    private let cryptography: any WebhookCryptography

    package init(cryptography: any WebhookCryptography) { self.cryptography = cryptography }

    /// The fields that make the request genuine for the scheme's first secret.
    ///
    /// - Parameters:
    ///   - request: its fields may already hold others; its `receivedAt` is the moment of signing.
    ///   - id: the delivery's id.
    ///   - seed: for Ed25519, the private key; HMAC is used without it.
    package func fields(
        for request: WebhookRequest, by scheme: WebhookScheme, id: String, seed: [UInt8]? = nil
    ) throws(Flaw) -> [WebhookField] {
        let seconds = String(request.receivedAt.secondsSinceEpoch)
        switch scheme {
        case .standardWebhooks(let keys, _): return try standard("webhook", request, id, seconds, keys.first, seed)
        case .svix(let keys, _): return try standard("svix", request, id, seconds, keys.first, seed)
        case .github(let secrets):
            let code = try code(.sha256, request.body, secrets.first, scheme)
            return [
                WebhookField("x-github-delivery", id), WebhookField("x-hub-signature-256", "sha256=" + Hex.encode(code)),
            ]
        case .stripe(let secrets):
            let code = try code(.sha256, Array("\(seconds).".utf8) + request.body, secrets.first, scheme)
            return [WebhookField("stripe-signature", "t=\(seconds),v1=\(Hex.encode(code))")]
        case .slack(let secrets):
            let code = try code(.sha256, Array("v0:\(seconds):".utf8) + request.body, secrets.first, scheme)
            return [
                WebhookField("x-slack-request-timestamp", seconds),
                WebhookField("x-slack-signature", "v0=" + Hex.encode(code)),
            ]
        case .inkbox(let secrets):
            let code = try code(.sha256, Array("\(id).\(seconds).".utf8) + request.body, secrets.first, scheme)
            return [
                WebhookField("x-inkbox-request-id", id), WebhookField("x-inkbox-timestamp", seconds),
                WebhookField("x-inkbox-signature", "sha256=" + Hex.encode(code)),
            ]
        case .shopify(let secrets):
            let code = try code(.sha256, request.body, secrets.first, scheme)
            return [
                WebhookField("x-shopify-webhook-id", id), WebhookField("x-shopify-hmac-sha256", Base64.encode(code)),
            ]
        case .twilio(let secrets): return try twilio(request, id, secrets.first, scheme)
        case .discord:
            guard let seed else { throw .notASigningKey }
            let signature = try signature(Array(seconds.utf8) + request.body, seed)
            return [
                WebhookField("x-signature-timestamp", seconds), WebhookField("x-signature-ed25519", Hex.encode(signature)),
            ]
        case .hmac(let form, let secrets): return try hmac(form, request, seconds, secrets.first, scheme)
        case .gitlab(let tokens):
            return [WebhookField("idempotency-key", id), WebhookField("x-gitlab-token", try word(tokens.first, scheme))]
        case .bearer(let tokens): return [WebhookField("authorization", "Bearer " + (try word(tokens.first, scheme)))]
        case .basic(let credentials):
            guard let first = credentials.first else { throw .nothingToSignWith(scheme.name) }
            return [WebhookField("authorization", "Basic " + Base64.encode(first))]
        case .certificateSubject, .addresses: throw .nothingToSignWith(scheme.name)
        case .none: return []
        case .all(let parts):
            var fields: [WebhookField] = []
            for part in parts {
                if case .addresses = part { continue }
                fields += try self.fields(for: request, by: part, id: id, seed: seed)
            }
            return fields
        }
    }

    private func standard(
        _ prefix: String, _ request: WebhookRequest, _ id: String, _ seconds: String, _ key: [UInt8]?, _ seed: [UInt8]?
    ) throws(Flaw) -> [WebhookField] {
        let message = Array("\(id).\(seconds).".utf8) + request.body
        var signatures: [String] = []
        if let key {
            signatures.append("v1," + Base64.encode(cryptography.authenticationCode(.sha256, for: message, key: key)))
        }
        if let seed { signatures.append("v1a," + Base64.encode(try signature(message, seed))) }
        guard !signatures.isEmpty else { throw .nothingToSignWith(prefix) }
        return [
            WebhookField("\(prefix)-id", id), WebhookField("\(prefix)-timestamp", seconds),
            WebhookField("\(prefix)-signature", signatures.joined(separator: " ")),
        ]
    }

    private func twilio(
        _ request: WebhookRequest, _ id: String, _ secret: [UInt8]?, _ scheme: WebhookScheme
    ) throws(Flaw) -> [WebhookField] {
        let form = FormFields(request.body)?.sortedText ?? []
        let code = try code(.sha1, Array(request.url.utf8) + form, secret, scheme)
        return [
            WebhookField("i-twilio-idempotency-token", id), WebhookField("x-twilio-signature", Base64.encode(code)),
        ]
    }

    private func hmac(
        _ form: HMACSignature, _ request: WebhookRequest, _ seconds: String, _ secret: [UInt8]?, _ scheme: WebhookScheme
    ) throws(Flaw) -> [WebhookField] {
        guard let message = form.template.message(of: request, timestamp: seconds) else {
            throw .nothingToSignWith("\(scheme.name), because a field that it signs is missing")
        }
        var fields = [WebhookField(form.field, form.text(of: try code(form.hash, message, secret, scheme)))]
        if let name = form.timestampField { fields.append(WebhookField(name, seconds)) }
        return fields
    }

    private func code(
        _ hash: WebhookHash, _ message: [UInt8], _ secret: [UInt8]?, _ scheme: WebhookScheme
    ) throws(Flaw) -> [UInt8] {
        guard let secret else { throw .nothingToSignWith(scheme.name) }
        return cryptography.authenticationCode(hash, for: message, key: secret)
    }

    private func signature(_ message: [UInt8], _ seed: [UInt8]) throws(Flaw) -> [UInt8] {
        guard let signature = cryptography.signature(of: message, seed: Array(seed.prefix(32))) else { throw .notASigningKey }
        return signature
    }

    private func word(_ token: [UInt8]?, _ scheme: WebhookScheme) throws(Flaw) -> String {
        guard let token else { throw .nothingToSignWith(scheme.name) }
        return String(decoding: token, as: UTF8.self)
    }
}
