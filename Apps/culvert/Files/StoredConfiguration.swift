internal import FoundationEssentials

/// What `culvert login` keeps.
struct StoredConfiguration: Codable, Hashable, Sendable {
    var server: String?
    var apiKey: String?
    /// An absolute path.
    var caFile: String?
    /// `ADDR:PORT`.
    var edge: String?

    private enum CodingKeys: String, CodingKey {
        case server, edge
        case apiKey = "api_key"
        case caFile = "ca_file"
    }

    /// What is kept in the file; everything is nil when there is none.
    static func load(from path: String) throws(Complaint) -> StoredConfiguration {
        guard let bytes = try PrivateFile.read(path) else { return StoredConfiguration() }
        do {
            return try JSONDecoder().decode(StoredConfiguration.self, from: Data(bytes))
        } catch {
            throw Complaint(
                "\(path) is damaged: it is not the JSON that \"culvert login\" writes",
                advice: "Log in again; that writes it anew: culvert login --server URL --api-key-file FILE")
        }
    }

    func save(to path: String) throws(Complaint) {
        try PrivateFile.write(JSONFile.bytes(of: self), to: path)
    }
}

/// Small JSON files with members in a steady order.
enum JSONFile {
    static func bytes(of value: some Encodable) throws(Complaint) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        do { return Array(try encoder.encode(value)) + [0x0A] } catch {
            throw Complaint("a value cannot be written as JSON: \(error)")
        }
    }
}
