internal import TunnelDomain

// The senders that sign nothing, but show something.
extension WebhookVerifier {
    /// A word that both sides know. Digests are compared, so that the length of the word is not told by time either.
    func wordProof(
        _ word: String?, _ words: [[UInt8]], _ scheme: WebhookScheme
    ) throws(WebhookRefusal) -> WebhookProof {
        guard let word else { throw .missingCredential }
        return try credentialProof(Array(word.utf8), words, scheme)
    }

    private func credentialProof(
        _ shown: [UInt8], _ known: [[UInt8]], _ scheme: WebhookScheme
    ) throws(WebhookRefusal) -> WebhookProof {
        let digest = cryptography.sha256(shown)
        var found: Int?
        for (index, word) in known.enumerated() where constantTimeEquals(cryptography.sha256(word), digest) {
            found = found ?? index
        }
        guard let found else { throw .wrongCredential }
        return WebhookProof(scheme: scheme.name, secretIndex: found)
    }

    /// `Authorization: <kind> <credential>`; the kind is compared without regard to case (RFC 9110 §11.1).
    func authorizationProof(
        _ request: WebhookRequest, _ kind: String, _ known: [[UInt8]], _ scheme: WebhookScheme
    ) throws(WebhookRefusal) -> WebhookProof {
        guard let value = request.only("authorization") else { throw .missingCredential }
        let words = value.split(separator: " ", maxSplits: 1)
        guard words.count == 2, words[0].lowercased() == kind else { throw .missingCredential }
        guard kind == "basic" else { return try credentialProof(Array(words[1].utf8), known, scheme) }
        guard let credential = Base64.decode(String(words[1])) else { throw .wrongCredential }
        return try credentialProof(credential, known, scheme)
    }

    func subjectProof(
        _ request: WebhookRequest, _ subjects: [String], _ scheme: WebhookScheme
    ) throws(WebhookRefusal) -> WebhookProof {
        guard let subject = request.certificateSubject else { throw .noClientCertificate }
        guard let index = subjects.firstIndex(where: { $0.utf8.elementsEqual(subject.utf8) }) else { throw .wrongSubject }
        return WebhookProof(scheme: scheme.name, secretIndex: index)
    }

    func addressProof(
        _ request: WebhookRequest, _ ranges: [IPRange], _ scheme: WebhookScheme
    ) throws(WebhookRefusal) -> WebhookProof {
        guard ranges.contains(where: { $0.contains(request.address) }) else { throw .foreignAddress }
        return WebhookProof(scheme: scheme.name)
    }
}
