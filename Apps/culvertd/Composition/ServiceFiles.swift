import FileStorage
import TLS
import TunnelDomain

/// The files of a data directory beside the store.
enum ServiceFiles {
    /// What clients trust.
    static let authority = "ca.pem"
    static let authorityKey = "ca-key.pem"
    /// Encrypts answers that are kept for replay.
    static let sealingKey = "sealing.key"

    /// Writes a new authority down, key first: a certificate without its key would be of no use.
    static func make(_ authority: CertificateAuthority, in directory: DataDirectory) throws {
        try directory.write(Array(authority.keyPEM().utf8), to: authorityKey)
        try directory.write(Array(authority.certificatePEM.utf8), to: Self.authority, isPublic: true)
    }

    static func readAuthority(in directory: DataDirectory) throws -> CertificateAuthority {
        let certificate = String(decoding: try directory.read(authority), as: UTF8.self)
        let key = String(decoding: try directory.read(authorityKey), as: UTF8.self)
        do {
            return try CertificateAuthority(certificatePEM: certificate, keyPEM: key)
        } catch {
            throw Complaint(
                "the certificate authority in \(directory.path(of: authority)) and \(authorityKey) cannot be used: \(error); "
                    + "restore both files from a backup")
        }
    }

    /// The sealing key, made at its first use.
    static func sealingKey(in directory: DataDirectory) throws -> SealingKey {
        let bytes = try directory.read(sealingKey) { RandomBytes.make(count: SealingKey.byteCount) }
        guard let key = SealingKey(bytes: bytes) else {
            throw Complaint(
                "\(directory.path(of: sealingKey)) has \(bytes.count) bytes instead of \(SealingKey.byteCount); "
                    + "restore it from a backup, or remove it and lose the answers kept for repeated requests")
        }
        return key
    }
}
