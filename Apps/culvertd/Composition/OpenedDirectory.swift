import FileStorage
import TLS
import TunnelDomain

/// All that a data directory holds, opened and checked.
struct OpenedDirectory {
    let directory: DataDirectory
    let store: SQLiteStore
    let zone: Zone
    let authority: CertificateAuthority
    let sealingKey: SealingKey

    /// Opens what `culvertd init` has made; says what to do when it has not, or not to the end.
    ///
    /// - Parameters:
    ///   - lock: The lock of a process that this one takes over from; nil to take it.
    ///   - passphraseFile: Where the passphrase of the authority's key is, if it has one.
    init(path: String, sharing lock: Int32? = nil, passphraseFile: String? = nil) async throws {
        let passphrase = try passphraseFile.map { try AuthorityPassphrase(path: $0) }
        directory = try lock.map { try DataDirectory(opening: path, sharing: $0) } ?? DataDirectory(opening: path)
        store = try SQLiteStore.open(in: directory)
        guard let text = try await store.fact(.zone) else {
            throw Complaint("\(path) was not laid out to the end; run `culvertd init --data-dir \(path) --zone ZONE` again")
        }
        do throws(ZoneError) {
            zone = try Zone(validating: text)
        } catch {
            throw Complaint("\(directory.path(of: SQLiteStore.fileName)) names the zone “\(text)”: \(error.explanation)")
        }
        authority = try ServiceFiles.readAuthority(in: directory, passphrase: passphrase)
        sealingKey = try ServiceFiles.sealingKey(in: directory)
    }
}
