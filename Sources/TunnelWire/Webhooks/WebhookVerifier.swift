internal import TunnelDomain

/// Decides whether a webhook is its sender's, by the sender's own rules.
///
/// Every active secret is tried, and compared in constant time. A refusal says why for the audit line; senders are told
/// nothing but that they are refused.
package struct WebhookVerifier: Sendable {
    /// What most senders' documents recommend: five minutes.
    package static let toleranceSecondsDefault = 300

    package var scheme: WebhookScheme
    /// How far a signed timestamp may lie from the receipt, before or after it; the edge itself is inside.
    package var tolerance: Duration
    let cryptography: any WebhookCryptography

    package init(
        _ scheme: WebhookScheme, tolerance: Duration = .seconds(toleranceSecondsDefault),
        cryptography: any WebhookCryptography
    ) {
        self.scheme = scheme
        self.tolerance = tolerance
        self.cryptography = cryptography
    }

    package func verdict(on request: WebhookRequest) -> WebhookVerdict {
        do throws(WebhookRefusal) {
            return .genuine(try proof(of: request, by: scheme))
        } catch {
            return .refused(error)
        }
    }

    private func proof(of request: WebhookRequest, by scheme: WebhookScheme) throws(WebhookRefusal) -> WebhookProof {
        switch scheme {
        case .standardWebhooks(let shared, let publicKeys):
            try standardProof(request, "webhook", shared, publicKeys, scheme)
        case .svix(let shared, let publicKeys):
            try standardProof(request, "svix", shared, publicKeys, scheme)
        case .github(let secrets): try githubProof(request, secrets, scheme)
        case .stripe(let secrets): try stripeProof(request, secrets, scheme)
        case .slack(let secrets): try slackProof(request, secrets, scheme)
        case .inkbox(let secrets): try inkboxProof(request, secrets, scheme)
        case .shopify(let secrets): try shopifyProof(request, secrets, scheme)
        case .twilio(let secrets): try twilioProof(request, secrets, scheme)
        case .discord(let publicKeys): try discordProof(request, publicKeys, scheme)
        case .hmac(let form, let secrets): try hmacProof(request, form, secrets, scheme)
        case .gitlab(let tokens): try wordProof(request.only("x-gitlab-token"), tokens, scheme)
        case .bearer(let tokens): try authorizationProof(request, "bearer", tokens, scheme)
        case .basic(let credentials): try authorizationProof(request, "basic", credentials, scheme)
        case .certificateSubject(let subjects): try subjectProof(request, subjects, scheme)
        case .addresses(let ranges): try addressProof(request, ranges, scheme)
        case .none: WebhookProof(scheme: scheme.name)
        case .all(let parts): try jointProof(request, parts, scheme)
        }
    }

    /// All must hold; what is known of replays comes from the first that signs.
    private func jointProof(
        _ request: WebhookRequest, _ parts: [WebhookScheme], _ scheme: WebhookScheme
    ) throws(WebhookRefusal) -> WebhookProof {
        var joint = WebhookProof(scheme: scheme.name)
        for part in parts {
            let proof = try proof(of: request, by: part)
            joint.secretIndex = joint.secretIndex ?? proof.secretIndex
            guard joint.messageDigest == nil else { continue }
            joint.messageDigest = proof.messageDigest
            joint.isReplayableUntil = proof.isReplayableUntil
        }
        return joint
    }
}

extension WebhookRefusal: Error {}

// MARK: - What the schemes have in common

extension WebhookVerifier {
    /// The place of the first secret whose code is one of the candidates. All pairs are compared.
    func matchingSecret(
        _ hash: WebhookHash, _ message: [UInt8], _ secrets: [[UInt8]], _ candidates: [[UInt8]]
    ) throws(WebhookRefusal) -> Int {
        var found: Int?
        for (index, secret) in secrets.enumerated() {
            let code = cryptography.authenticationCode(hash, for: message, key: secret)
            for candidate in candidates where constantTimeEquals(code, candidate) { found = found ?? index }
        }
        guard let found else { throw .wrongSignature }
        return found
    }

    /// The signed timestamp, once it is known to be near enough to the receipt.
    func freshTimestamp(_ text: String?, of request: WebhookRequest) throws(WebhookRefusal) -> Timestamp {
        guard let text else { throw .missingTimestamp }
        guard let moment = Self.unixSeconds(text) else { throw .malformedTimestamp }
        return try fresh(moment, of: request)
    }

    func fresh(_ moment: Timestamp, of request: WebhookRequest) throws(WebhookRefusal) -> Timestamp {
        let age = request.receivedAt - moment
        if age > tolerance { throw .tooOld }
        if age < .zero - tolerance { throw .tooNew }
        return moment
    }

    /// Whole seconds since 1970 in decimal digits and nothing else.
    static func unixSeconds(_ text: String) -> Timestamp? {
        guard (1...12).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return Int64(text).map { Timestamp(secondsSinceEpoch: $0) }
    }

    func proof(
        _ scheme: WebhookScheme, secret: Int, message: [UInt8], signedAt moment: Timestamp? = nil
    ) -> WebhookProof {
        WebhookProof(
            scheme: scheme.name, secretIndex: secret, messageDigest: cryptography.sha256(message),
            isReplayableUntil: moment.map { $0 + tolerance })
    }

    /// The bytes behind a prefix such as `sha256=`, which must be there.
    static func hexAfter(_ prefix: String, in text: String?) throws(WebhookRefusal) -> [UInt8] {
        guard let text else { throw .missingSignature }
        guard text.hasPrefix(prefix), let bytes = Hex.decodeLowerCase(text.dropFirst(prefix.count)) else {
            throw .malformedSignature
        }
        return bytes
    }
}

extension Hex {
    /// Senders write lower case; taking both would give one signature many spellings.
    static func decodeLowerCase(_ text: Substring) -> [UInt8]? {
        text.utf8.contains { (0x41...0x5A).contains($0) } ? nil : decode(String(text))
    }
}
