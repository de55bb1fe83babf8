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
    init(path: String) async throws {
        directory = try DataDirectory(opening: path)
        store = try SQLiteStore.open(in: directory)
        guard let text = try await store.fact(.zone) else {
            throw Complaint("\(path) was not laid out to the end; run `culvertd init --data-dir \(path) --zone ZONE` again")
        }
        do throws(ZoneError) {
            zone = try Zone(validating: text)
        } catch {
            throw Complaint("\(directory.path(of: SQLiteStore.fileName)) names the zone “\(text)”: \(error.explanation)")
        }
        authority = try ServiceFiles.readAuthority(in: directory)
        sealingKey = try ServiceFiles.sealingKey(in: directory)
    }
}
