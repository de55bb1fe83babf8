internal import FoundationEssentials
internal import Glibc
package import TunnelClient

/// How an agent replaces its own API key and rotation secret, which are kept (control plane §5).
///
/// Nothing is lost wherever it breaks off. Before the call the idempotency key is on the disk beside the old credentials; after
/// it the new ones take their place in one write. What lies between is done again with the same key, and the server gives the
/// same answer for 24 hours.
package struct KeyRotation: Sendable {
    /// Why the credentials are not replaced, or not known to be.
    package enum Failure: Error {
        /// Nothing was asked of the server.
        case unready(ProfileFlaw)
        /// The server may have rotated, or may still, although it did not say so: doing it again ends what was begun.
        case undecided(ClientError)
        /// The old credentials stay, unless an earlier try has replaced them.
        case refused(ClientError, isRepetition: Bool)
        /// The old credentials are void, and the new ones could not be kept; doing it again gets the same.
        case unkept(ProfileFlaw)
    }

    private let profile: Profile
    private let client: CulvertClient
    private var path: String { profile.locations.configurationFile }

    package init(profile: Profile, client: CulvertClient) {
        self.profile = profile
        self.client = client
    }

    /// - Parameter rotationSecretFile: holds the rotation secret; nil takes the one that is kept.
    package func run(rotationSecretFile: String?) async throws(Failure) -> RotatedCredentials {
        let place: FolderLock
        var stored: StoredConfiguration
        let isRepetition: Bool
        let secret: String
        let pending: PendingRotation
        do throws(ProfileFlaw) {
            guard profile.isKeyStored else { throw Self.foreignKey(profile.server) }
            place = try FolderLock(folderOf: path)
            stored = try StoredConfiguration.load(from: path)
            isRepetition = stored.pendingRotation != nil
            secret = try Self.rotationSecret(stored, file: rotationSecretFile)
            pending = stored.pendingRotation ?? PendingRotation(idempotencyKey: UUID().uuidString.lowercased())
            stored.pendingRotation = pending
            stored.rotationSecret = secret
            try stored.save(to: path)
        } catch {
            throw .unready(error)
        }
        defer { place.open() }
        let rotated: RotatedCredentials
        do throws(ClientError) {
            rotated = try await client.rotateOwnAPIKey(rotationSecret: secret, idempotencyKey: pending.idempotencyKey)
        } catch {
            throw failure(error, stored, isRepetition)
        }
        stored.apiKey = rotated.apiKey
        stored.rotationSecret = rotated.rotationSecret
        stored.pendingRotation = nil
        do throws(ProfileFlaw) { try stored.save(to: path) } catch { throw .unkept(error) }
        return rotated
    }

    private func failure(_ error: ClientError, _ stored: StoredConfiguration, _ isRepetition: Bool) -> Failure {
        guard !Self.mayHaveHappened(error) else { return .undecided(error) }
        var stored = stored
        stored.pendingRotation = nil
        do throws(ProfileFlaw) { try stored.save(to: path) } catch { return .unready(error) }
        return .refused(error, isRepetition: isRepetition)
    }

    /// An unfinished rotation is repeated as it was, or it would be another one.
    private static func rotationSecret(_ stored: StoredConfiguration, file: String?) throws(ProfileFlaw) -> String {
        if stored.pendingRotation != nil, let secret = stored.rotationSecret { return secret }
        if let file { return try AgentCredentials.readRotationSecret(file) }
        guard let secret = stored.rotationSecret else {
            throw ProfileFlaw(
                "no rotation secret is known for the key that is logged in",
                advice: "It came with the key when that was created: give its file with --rotation-secret-file FILE. Keys of a "
                    + "whole organization have none.", kind: .authentication)
        }
        return secret
    }

    private static func foreignKey(_ server: ServerURL) -> ProfileFlaw {
        ProfileFlaw(
            "only the key that is logged in is rotated, because the new one must be kept",
            advice: "Log in with this key first: culvert login --server \(server) --api-key-file FILE\n"
                + "Then rotate it without --api-key-file and CULVERT_API_KEY_FILE.", kind: .usage)
    }

    /// Whether the server may have rotated, or may still, although it did not say so.
    package static func mayHaveHappened(_ error: ClientError) -> Bool {
        switch error {
        case .refused(let refusal): refusal.kind == .serverFailed || refusal.kind == .conflict || refusal.kind == .rateLimited
        case .noAnswer, .unusableAnswer, .cancelled: true
        case .credentialUnusable: false
        }
    }
}

/// Keeps two processes from rotating at once: the later one would put old credentials in the place of new ones.
private final class FolderLock: Sendable {
    private let descriptor: Int32

    /// - Throws: when another holds it, or there is no such folder.
    init(folderOf path: String) throws(ProfileFlaw) {
        let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
        descriptor = Glibc.open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw ProfileFlaw("\(Printable.text(folder)) cannot be read: \(String(cString: strerror(errno)))")
        }
        // Some network file systems lock no folders; there it is as if there were no other process.
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK else {
            close(descriptor)
            throw ProfileFlaw(
                "the API key is being rotated already", advice: "Wait for that to end; the new key is then in use here too.",
                kind: .conflict)
        }
    }

    func open() { close(descriptor) }
}
