internal import TunnelDomain

// The senders that sign with a shared secret.
extension WebhookVerifier {
    /// `id.timestamp.body`; the signature field lists `v1,…` and `v1a,…` separated by spaces, of which one must fit.
    func standardProof(
        _ request: WebhookRequest, _ prefix: String, _ sharedKeys: [[UInt8]], _ publicKeys: [[UInt8]],
        _ scheme: WebhookScheme
    ) throws(WebhookRefusal) -> WebhookProof {
        guard let id = request.only("\(prefix)-id"), !id.isEmpty else { throw .missingField }
        guard let list = request.only("\(prefix)-signature") else { throw .missingSignature }
        let timestamp = request.only("\(prefix)-timestamp")
        let moment = try freshTimestamp(timestamp, of: request)
        let message = Array("\(id).\(timestamp ?? "").".utf8) + request.body
        var codes: [[UInt8]] = []
        var signatures: [[UInt8]] = []
        for entry in list.split(separator: " ").prefix(Self.signaturesMax) {
            guard let comma = entry.firstIndex(of: ","), let bytes = Base64.decode(String(entry[entry.index(after: comma)...]))
            else { continue }
            switch entry[..<comma] {
            case "v1": codes.append(bytes)
            case "v1a": signatures.append(bytes)
            // A version of the future stands beside one that we know, or is refused below.
            default: continue
            }
        }
        guard !codes.isEmpty || !signatures.isEmpty else { throw .malformedSignature }
        if let index = try? matchingSecret(.sha256, message, sharedKeys, codes) {
            return proof(scheme, secret: index, message: message, signedAt: moment)
        }
        let index = try matchingPublicKey(message, publicKeys, signatures)
        return proof(scheme, secret: sharedKeys.count + index, message: message, signedAt: moment)
    }

    /// Signatures of one message that are looked at; more are ignored, or a header would buy endless work.
    static let signaturesMax = 16

    func githubProof(
        _ request: WebhookRequest, _ secrets: [[UInt8]], _ scheme: WebhookScheme
    ) throws(WebhookRefusal) -> WebhookProof {
        let code = try Self.hexAfter("sha256=", in: request.only("x-hub-signature-256"))
        let index = try matchingSecret(.sha256, request.body, secrets, [code])
        return proof(scheme, secret: index, message: request.body)
    }

    /// `timestamp.body`; the field lists `t=…` and one `v1=…` for each secret that is active at the sender.
    func stripeProof(
        _ request: WebhookRequest, _ secrets: [[UInt8]], _ scheme: WebhookScheme
    ) throws(WebhookRefusal) -> WebhookProof {
        guard let list = request.only("stripe-signature") else { throw .missingSignature }
        var timestamp: String?
        var codes: [[UInt8]] = []
        for entry in list.split(separator: ",").prefix(Self.signaturesMax) {
            if entry.hasPrefix("t=") {
                // Two timestamps would let the signed one and the fresh one differ.
                guard timestamp == nil else { throw .malformedTimestamp }
                timestamp = String(entry.dropFirst(2))
            } else if entry.hasPrefix("v1="), let code = Hex.decodeLowerCase(entry.dropFirst(3)) {
                codes.append(code)
            }
        }
        let moment = try freshTimestamp(timestamp, of: request)
        guard !codes.isEmpty else { throw .malformedSignature }
        let message = Array("\(timestamp ?? "").".utf8) + request.body
        let index = try matchingSecret(.sha256, message, secrets, codes)
        return proof(scheme, secret: index, message: message, signedAt: moment)
    }

    func slackProof(
        _ request: WebhookRequest, _ secrets: [[UInt8]], _ scheme: WebhookScheme
    ) throws(WebhookRefusal) -> WebhookProof {
        let code = try Self.hexAfter("v0=", in: request.only("x-slack-signature"))
        let timestamp = request.only("x-slack-request-timestamp")
        let moment = try freshTimestamp(timestamp, of: request)
        let message = Array("v0:\(timestamp ?? ""):".utf8) + request.body
        let index = try matchingSecret(.sha256, message, secrets, [code])
        return proof(scheme, secret: index, message: message, signedAt: moment)
    }

    /// `request id.timestamp.body` under the key's text without `whsec_`.
    func inkboxProof(
        _ request: WebhookRequest, _ secrets: [[UInt8]], _ scheme: WebhookScheme
    ) throws(WebhookRefusal) -> WebhookProof {
        let code = try Self.hexAfter("sha256=", in: request.only("x-inkbox-signature"))
        guard let id = request.only("x-inkbox-request-id"), !id.isEmpty else { throw .missingField }
        guard let timestamp = request.only("x-inkbox-timestamp") else { throw .missingTimestamp }
        guard let signedAt = Self.unixSeconds(timestamp) ?? Timestamp(iso8601: timestamp) else { throw .malformedTimestamp }
        let moment = try fresh(signedAt, of: request)
        let message = Array("\(id).\(timestamp).".utf8) + request.body
        let index = try matchingSecret(.sha256, message, secrets, [code])
        return proof(scheme, secret: index, message: message, signedAt: moment)
    }

    func shopifyProof(
        _ request: WebhookRequest, _ secrets: [[UInt8]], _ scheme: WebhookScheme
    ) throws(WebhookRefusal) -> WebhookProof {
        guard let text = request.only("x-shopify-hmac-sha256") else { throw .missingSignature }
        guard let code = Base64.decode(text) else { throw .malformedSignature }
        let index = try matchingSecret(.sha256, request.body, secrets, [code])
        return proof(scheme, secret: index, message: request.body)
    }

    func hmacProof(
        _ request: WebhookRequest, _ form: HMACSignature, _ secrets: [[UInt8]], _ scheme: WebhookScheme
    ) throws(WebhookRefusal) -> WebhookProof {
        guard let text = request.only(form.field) else { throw .missingSignature }
        guard let code = form.code(in: text) else { throw .malformedSignature }
        var moment: Timestamp?
        if let field = form.timestampField { moment = try freshTimestamp(request.only(field), of: request) }
        guard let message = form.template.message(of: request, timestamp: form.timestampField.flatMap(request.only)) else {
            throw .missingField
        }
        let index = try matchingSecret(form.hash, message, secrets, [code])
        return proof(scheme, secret: index, message: message, signedAt: moment)
    }
}

// The senders that sign with a private key.
extension WebhookVerifier {
    func discordProof(
        _ request: WebhookRequest, _ publicKeys: [[UInt8]], _ scheme: WebhookScheme
    ) throws(WebhookRefusal) -> WebhookProof {
        let signature = try Self.hexAfter("", in: request.only("x-signature-ed25519"))
        let timestamp = request.only("x-signature-timestamp")
        let moment = try freshTimestamp(timestamp, of: request)
        let message = Array((timestamp ?? "").utf8) + request.body
        let index = try matchingPublicKey(message, publicKeys, [signature])
        return proof(scheme, secret: index, message: message, signedAt: moment)
    }

    func matchingPublicKey(
        _ message: [UInt8], _ publicKeys: [[UInt8]], _ signatures: [[UInt8]]
    ) throws(WebhookRefusal) -> Int {
        for (index, key) in publicKeys.enumerated()
        where signatures.contains(where: { cryptography.isSignature($0, of: message, publicKey: key) }) {
            return index
        }
        throw .wrongSignature
    }
}
