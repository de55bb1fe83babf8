/// Where the client takes its API key from, at every request anew, so that a rotated key is picked up without a restart.
public struct APIKeySource: Sendable {
    private let read: @Sendable () async throws -> String

    /// Asks the closure for the key before each request.
    public init(_ read: @escaping @Sendable () async throws -> String) {
        self.read = read
    }

    /// One key for the life of the client.
    public static func fixed(_ key: String) -> APIKeySource {
        APIKeySource { key }
    }

    /// The key for the next request, without outer white space.
    ///
    /// - Throws: ``ClientError/credentialUnusable(reason:)`` when there is none, or it could not stand in a header field.
    public func key() async throws(ClientError) -> String {
        let raw: String
        do { raw = try await read() } catch { throw .credentialUnusable(reason: "the API key could not be read: \(error)") }
        let bytes = raw.utf8.drop(while: Self.isBlank).reversed().drop(while: Self.isBlank).reversed()
        guard !bytes.isEmpty else { throw .credentialUnusable(reason: "the API key is empty") }
        guard bytes.count <= Self.keyByteCountMax, bytes.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw .credentialUnusable(reason: "the API key contains blanks or bytes that no API key has")
        }
        return String(decoding: Array(bytes), as: UTF8.self)
    }

    /// Longer than any key a server mints, short enough for every header limit.
    static let keyByteCountMax = 512

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }
}
