import FileStorage
import TLS
import TunnelDomain

/// The files of a data directory beside the store.
enum ServiceFiles {
    /// What clients trust.
    static let authority = "ca.pem"
    static let authorityKey = "ca-key.pem"
    /// Encrypts answers that are kept for replay, and webhook signing keys.
    static let sealingKey = "sealing.key"

    /// Writes a new authority down, key first: a certificate without its key would be of no use.
    ///
    /// With a passphrase the key is encrypted (PKCS #8, AES-256).
    static func make(
        _ authority: CertificateAuthority, in directory: DataDirectory, passphrase: AuthorityPassphrase?
    ) throws {
        try directory.write(Array(authority.keyPEM(passphrase: passphrase?.text ?? "").utf8), to: authorityKey)
        try directory.write(Array(authority.certificatePEM.utf8), to: Self.authority, isPublic: true)
    }

    static func readAuthority(
        in directory: DataDirectory, passphrase: AuthorityPassphrase?
    ) throws -> CertificateAuthority {
        let certificate = String(decoding: try directory.read(authority), as: UTF8.self)
        let key = String(decoding: try directory.read(authorityKey), as: UTF8.self)
        let path = directory.path(of: authorityKey)
        if let passphrase, !PrivateKey.isEncrypted(pem: key) {
            throw Complaint(
                "\(path) is not encrypted, so \(passphrase.path) protects nothing; encrypt it with `openssl pkcs8 -topk8 "
                    + "-v2 aes-256-cbc -in ca-key.pem -passout file:…` and put the result in its place, "
                    + "or name no passphrase file"
            )
        }
        do {
            return try CertificateAuthority(certificatePEM: certificate, keyPEM: key, passphrase: passphrase?.text ?? "")
        } catch PrivateKey.ReadError.wrongPassphrase {
            throw Complaint(
                passphrase.map {
                    "the passphrase in \($0.path) does not open \(path); name the file that `culvertd init` was given"
                }
                    ?? "\(path) is encrypted; name the file with its passphrase by --ca-passphrase-file FILE or "
                    + "CULVERT_CA_PASSPHRASE_FILE")
        } catch {
            throw Complaint(
                "the certificate authority in \(directory.path(of: authority)) and \(authorityKey) cannot be used: \(error); "
                    + "restore both files from a backup")
        }
    }

    /// The sealing key, made at its first use.
    static func sealingKey(in directory: DataDirectory) throws -> SealingKey {
        let bytes = try directory.read(sealingKey) { RandomBytes.make(count: SealingKey.byteCount) }
        return try key(bytes, path: directory.path(of: sealingKey))
    }

    /// The sealing key of a directory that another process may be using.
    static func readSealingKey(ofDirectory path: String) throws -> SealingKey {
        let file = path + "/" + sealingKey
        return try key(readFile(file), path: file)
    }

    private static func key(_ bytes: [UInt8], path: String) throws -> SealingKey {
        guard let key = SealingKey(bytes: bytes) else {
            throw Complaint(
                "\(path) has \(bytes.count) bytes instead of \(SealingKey.byteCount); "
                    + "restore it from a backup, or remove it and lose kept answers and webhook signing keys")
        }
        return key
    }
}
