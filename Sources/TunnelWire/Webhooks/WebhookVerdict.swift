package import TunnelDomain

/// Whether a webhook is its sender's.
package enum WebhookVerdict: Sendable, Hashable {
    case genuine(WebhookProof)
    case refused(WebhookRefusal)
}

/// How a webhook was proven to be its sender's; it is stored with the event.
package struct WebhookProof: Sendable, Hashable {
    /// The name of the scheme, such as `github`.
    package var scheme: String
    /// Which of the active secrets fitted, from 0; nil where there is no secret.
    package var secretIndex: Int?
    /// The message that was signed, as a digest: the same message twice is a replay. Nil where nothing is signed.
    package var messageDigest: [UInt8]?
    /// Until when the sender's own rules would take the message again; nil when they set no end.
    package var isReplayableUntil: Timestamp?

    package init(
        scheme: String, secretIndex: Int? = nil, messageDigest: [UInt8]? = nil, isReplayableUntil: Timestamp? = nil
    ) {
        self.scheme = scheme
        self.secretIndex = secretIndex
        self.messageDigest = messageDigest
        self.isReplayableUntil = isReplayableUntil
    }
}

/// Why a webhook is not taken. This goes into the audit line and never to the sender.
package enum WebhookRefusal: String, Sendable, Hashable, CaseIterable {
    case missingSignature = "missing_signature"
    case malformedSignature = "malformed_signature"
    case wrongSignature = "wrong_signature"
    case missingTimestamp = "missing_timestamp"
    case malformedTimestamp = "malformed_timestamp"
    case tooOld = "too_old"
    case tooNew = "too_new"
    case missingField = "missing_field"
    case wrongBodyDigest = "wrong_body_digest"
    case missingCredential = "missing_credential"
    case wrongCredential = "wrong_credential"
    case noClientCertificate = "no_client_certificate"
    case wrongSubject = "wrong_subject"
    case foreignAddress = "foreign_address"
    case replayed = "replayed"
}
