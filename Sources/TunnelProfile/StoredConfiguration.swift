internal import FoundationEssentials

/// What `culvert login` keeps.
package struct StoredConfiguration: Codable, Hashable, Sendable {
    package var server: String?
    package var apiKey: String?
    /// What an agent proves itself with, beside its key, when it rotates the key; issued with the key of an identity.
    package var rotationSecret: String?
    /// A rotation of the key whose answer has not come yet.
    package var pendingRotation: PendingRotation?
    /// An absolute path.
    package var caFile: String?
    /// `ADDR:PORT`.
    package var edge: String?

    package init(
        server: String? = nil, apiKey: String? = nil, rotationSecret: String? = nil, pendingRotation: PendingRotation? = nil,
        caFile: String? = nil, edge: String? = nil
    ) {
        self.server = server
        self.apiKey = apiKey
        self.rotationSecret = rotationSecret
        self.pendingRotation = pendingRotation
        self.caFile = caFile
        self.edge = edge
    }

    private enum CodingKeys: String, CodingKey {
        case server, edge
        case apiKey = "api_key"
        case rotationSecret = "rotation_secret"
        case pendingRotation = "pending_rotation"
        case caFile = "ca_file"
    }

    /// What is kept in the file; everything is nil when there is none.
    package static func load(from path: String) throws(ProfileFlaw) -> StoredConfiguration {
        guard let bytes = try PrivateFile.read(path) else { return StoredConfiguration() }
        do {
            return try JSONDecoder().decode(StoredConfiguration.self, from: Data(bytes))
        } catch {
            throw ProfileFlaw(
                "\(path) is damaged: it is not the JSON that \"culvert login\" writes",
                advice: "Log in again; that writes it anew: culvert login --server URL --api-key-file FILE")
        }
    }

    package func save(to path: String) throws(ProfileFlaw) {
        try PrivateFile.write(JSONFile.bytes(of: self), to: path)
    }
}

/// A rotation that was begun: repeated with the same key, it gets the answer that was lost (control plane §2 and §5).
package struct PendingRotation: Codable, Hashable, Sendable {
    package var idempotencyKey: String

    package init(idempotencyKey: String) { self.idempotencyKey = idempotencyKey }

    private enum CodingKeys: String, CodingKey { case idempotencyKey = "idempotency_key" }
}

/// Small JSON files with members in a steady order.
enum JSONFile {
    static func bytes(of value: some Encodable) throws(ProfileFlaw) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        do { return Array(try encoder.encode(value)) + [0x0A] } catch {
            throw ProfileFlaw("a value cannot be written as JSON: \(error)")
        }
    }
}
