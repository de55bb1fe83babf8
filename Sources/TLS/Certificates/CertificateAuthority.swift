internal import COpenSSL
internal import Synchronization
package import TunnelDomain
internal import TunnelWire

/// Signs the certificates of a zone with an authority of our own, which clients trust by its certificate file.
package final class CertificateAuthority: Sendable {
    /// How long a new authority lives: ten years of 365.25 days.
    package static let authorityDaysDefault = 3_652
    /// How long what it signs lives, unless the authority ends first.
    package static let leafDaysDefault = 90
    /// How far back a validity begins, for clients whose clocks are slow.
    package static let backdatingSeconds = 300
    /// A common name longer than this is refused by verifiers (RFC 5280 appendix A, ub-common-name).
    private static let commonNameByteCountMax = 64

    /// Why the authority does not work or does not sign.
    package enum Failure: Error, Hashable, CustomStringConvertible {
        case notAnAuthority
        case keyOfAnotherCertificate
        case expired(at: Timestamp)
        case noHosts
        /// Something else than letters, digits, dots, hyphens and at most one leading `*.`.
        case badHost(String)

        package var description: String {
            switch self {
            case .notAnAuthority: "this certificate may not sign others (it has no CA flag)"
            case .keyOfAnotherCertificate: "the authority's private key does not belong to its certificate"
            case .expired: "the certificate authority has expired; make a new one and let clients trust it"
            case .noHosts: "a certificate needs at least one host name"
            case .badHost(let host): "“\(host)” cannot stand in a certificate as a host name"
            }
        }
    }

    package let certificate: Certificate
    /// The authority's own certificate, PEM: what clients are told to trust.
    package let certificatePEM: String
    private let key: PrivateKey
    private let signed = Mutex(Counts())
    private let notBefore: Timestamp
    private let notAfter: Timestamp

    /// How much has been signed since the start.
    package struct Counts: Sendable, Hashable {
        /// Certificates for the keys of others, and for keys that were made here.
        package fileprivate(set) var requests = 0
        package fileprivate(set) var hosts = 0
    }

    package var counts: Counts { signed.withLock { $0 } }

    private init(certificate: Certificate, key: PrivateKey) throws {
        guard certificate.isAuthority else { throw Failure.notAnAuthority }
        guard certificate.matches(key) else { throw Failure.keyOfAnotherCertificate }
        self.certificate = certificate
        self.key = key
        certificatePEM = try certificate.pem()
        notBefore = try certificate.notBefore()
        notAfter = try certificate.notAfter()
    }

    /// Reads an authority from its two files' contents.
    package convenience init(certificatePEM: String, keyPEM: String, passphrase: String = "") throws {
        try self.init(
            certificate: Certificate(pem: certificatePEM), key: PrivateKey(pem: keyPEM, passphrase: passphrase))
    }

    /// Makes a new authority that may sign names of one zone only, so that its key is worth no more than the zone.
    package static func make(
        zone: String, days: Int = authorityDaysDefault, at now: Timestamp
    ) throws -> CertificateAuthority {
        guard isHost(zone) else { throw Failure.badHost(zone) }
        let key = try PrivateKey()
        let draft = try CertificateDraft.make(
            publicKey: key.pointer, notBefore: now - .seconds(backdatingSeconds),
            notAfter: now + .days(Int64(days)))
        // The serial in the name keeps two authorities of one zone apart in a client's trust store.
        let mark = Hex.encode(RandomBytes.make(count: 4))
        try draft.setSubject([("O", "Culvert"), ("CN", "Culvert local CA \(mark)")])
        try draft.setIssuer(nil)
        try draft.addExtension(NID_basic_constraints, "critical,CA:TRUE,pathlen:0", issuer: nil)
        try draft.addExtension(NID_key_usage, "critical,keyCertSign,cRLSign", issuer: nil)
        try draft.addExtension(NID_subject_key_identifier, "hash", issuer: nil)
        try draft.addExtension(NID_name_constraints, "critical,permitted;DNS:\(zone)", issuer: nil)
        return try CertificateAuthority(certificate: draft.signed(by: key), key: key)
    }

    /// The private key, PKCS #8 PEM, encrypted when there is a passphrase. Belongs in a file of mode 0600.
    package func keyPEM(passphrase: String = "") throws -> String {
        try key.pem(passphrase: passphrase)
    }

    /// Makes a key and a server certificate for it.
    package func issueServerCertificate(
        hosts: [String], days: Int = leafDaysDefault, at now: Timestamp
    ) throws -> SignedCertificate {
        let leafKey = try PrivateKey()
        var issued = try sign(publicKey: leafKey.pointer, hosts: hosts, days: days, at: now)
        issued.keyPEM = try leafKey.pem()
        signed.withLock { $0.hosts += 1 }
        return issued
    }

    /// Signs the request's key for these hosts. What the request asks for beside its key is not copied:
    /// whether it may be signed was the signing policy's decision.
    package func signRequest(
        _ request: CertificateRequest, hosts: [String], days: Int = leafDaysDefault, at now: Timestamp
    ) throws -> SignedCertificate {
        let issued = try sign(publicKey: request.publicKey, hosts: hosts, days: days, at: now)
        signed.withLock { $0.requests += 1 }
        return issued
    }

    private func sign(
        publicKey: OpaquePointer, hosts: [String], days: Int, at now: Timestamp
    ) throws -> SignedCertificate {
        guard now < notAfter else { throw Failure.expired(at: notAfter) }
        guard let first = hosts.first else { throw Failure.noHosts }
        if let bad = hosts.first(where: { !Self.isHost($0, allowsWildcard: true) }) { throw Failure.badHost(bad) }

        let start = max(now - .seconds(Self.backdatingSeconds), notBefore)
        let end = min(now + .days(Int64(days)), notAfter)
        let draft = try CertificateDraft.make(publicKey: publicKey, notBefore: start, notAfter: end)
        let hasCommonName = first.utf8.count <= Self.commonNameByteCountMax
        if hasCommonName { try draft.setSubject([("CN", first)]) }
        try draft.setIssuer(certificate)
        try draft.addExtension(NID_basic_constraints, "critical,CA:FALSE", issuer: certificate)
        try draft.addExtension(NID_key_usage, "critical,digitalSignature", issuer: certificate)
        try draft.addExtension(NID_ext_key_usage, "serverAuth", issuer: certificate)
        try draft.addExtension(NID_subject_key_identifier, "hash", issuer: certificate)
        try draft.addExtension(NID_authority_key_identifier, "keyid:always", issuer: certificate)
        try draft.addHosts(hosts, isCritical: !hasCommonName)
        let signed = try draft.signed(by: key)
        return SignedCertificate(
            hosts: hosts, certificatePEM: try signed.pem(), chainPEM: certificatePEM, keyPEM: nil,
            fingerprint: try signed.fingerprint(), notBefore: try signed.notBefore(), notAfter: try signed.notAfter())
    }

    /// Letters, digits, hyphens and dots, without empty labels: enough to keep any notation from being broken out of.
    private static func isHost(_ text: String, allowsWildcard: Bool = false) -> Bool {
        var labels = text.split(separator: ".", omittingEmptySubsequences: false)
        if allowsWildcard, labels.count > 1, labels.first == "*" { labels.removeFirst() }
        return text.utf8.count <= 253
            && labels.allSatisfy { label in
                !label.isEmpty && label.utf8.count <= 63
                    && label.utf8.allSatisfy { byte in
                        switch byte {
                        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"):
                            true
                        default: false
                        }
                    }
            }
    }
}
