internal import TunnelDomain

extension WebhookVerifier {
    /// The URL that Twilio called and, for a form, its parameters in order of their names, each name and value run together.
    /// A body of another type is covered by its SHA-256 in the query instead, under `bodySHA256`.
    ///
    /// Twilio signs the URL with its port or without it; both are tried, as its own validators do.
    func twilioProof(
        _ request: WebhookRequest, _ secrets: [[UInt8]], _ scheme: WebhookScheme
    ) throws(WebhookRefusal) -> WebhookProof {
        guard let text = request.only("x-twilio-signature") else { throw .missingSignature }
        guard let code = Base64.decode(text) else { throw .malformedSignature }
        var parameters: [UInt8] = []
        if let digest = Self.bodyDigest(in: request.query) {
            guard constantTimeEquals(Array(digest.lowercased().utf8), Array(Hex.encode(cryptography.sha256(request.body)).utf8))
            else { throw .wrongBodyDigest }
        } else if !request.body.isEmpty {
            guard Self.isForm(request), let form = FormFields(request.body) else { throw .wrongBodyDigest }
            parameters = form.sortedText
        }
        let hash = try Self.hash(request.only("x-twilio-webhooks-signature-settings"))
        for origin in Self.spellings(of: request.origin) {
            let message = Array((origin + request.target).utf8) + parameters
            guard let index = try? matchingSecret(hash, message, secrets, [code]) else { continue }
            return proof(scheme, secret: index, message: message)
        }
        throw .wrongSignature
    }

    /// `key=…,algorithm=HMAC_SHA256` comes with shared keys; without the field it is HMAC-SHA1 under the auth token.
    private static func hash(_ settings: String?) throws(WebhookRefusal) -> WebhookHash {
        for part in (settings ?? "").split(separator: ",") {
            let pair = part.split(separator: "=", maxSplits: 1)
            guard pair.count == 2, pair[0] == "algorithm" else { continue }
            switch pair[1] {
            case "HMAC_SHA1": return .sha1
            case "HMAC_SHA256": return .sha256
            default: throw .malformedSignature
            }
        }
        return .sha1
    }

    private static func bodyDigest(in query: String?) -> String? {
        for part in (query ?? "").split(separator: "&") where part.hasPrefix("bodySHA256=") {
            return String(part.dropFirst("bodySHA256=".count))
        }
        return nil
    }

    private static func isForm(_ request: WebhookRequest) -> Bool {
        request.only("content-type")?.lowercased().hasPrefix("application/x-www-form-urlencoded") == true
    }

    /// The origin without a port, and with the one that it has or its scheme implies.
    private static func spellings(of origin: String) -> [String] {
        guard let mark = origin.firstRange(of: "://") else { return [origin] }
        let host = origin[mark.upperBound...]
        let port = host.lastIndex(of: ":").filter { colon in
            host[host.index(after: colon)...].allSatisfy { $0.isNumber } && !host.hasSuffix("]")
        }
        guard let port else { return [origin, origin + (origin.hasPrefix("https:") ? ":443" : ":80")] }
        return [String(origin[..<port]), origin]
    }
}

extension Optional {
    fileprivate func filter(_ isWanted: (Wrapped) -> Bool) -> Wrapped? { flatMap { isWanted($0) ? $0 : nil } }
}
