/// Who may pass at the agent: third parties from some addresses, or with a name and a password (RFC 7617).
///
/// Pure: the caller brings the hash function, so that this module needs no cryptography.
package struct AdmissionRules: Sendable, Hashable {
    package enum Verdict: Sendable, Hashable {
        case admitted, addressRefused
        /// No credentials, or not such that anybody has.
        case credentialsMissing, credentialsWrong
    }

    /// The bytes of a digest: SHA-256 of `NAME:PASSWORD`.
    package static let digestByteCount = 32

    /// Nil admits every address; an empty list admits none.
    package var addresses: [IPRange]?
    /// Digests of those who may pass; empty when nobody is asked for a password.
    package private(set) var digests: [[UInt8]] = []

    package init() {}

    package var isEmpty: Bool { addresses == nil && digests.isEmpty }

    package mutating func addDigest(_ digest: [UInt8]) {
        precondition(digest.count == Self.digestByteCount, "a SHA-256 digest has 32 bytes")
        digests.append(digest)
    }

    /// Judges a request by the address that it came from and its `Authorization`.
    ///
    /// The address goes first, so that nobody outside the list learns whether a password is right. Every digest is compared
    /// whole, whichever fits.
    package func judge(
        address: String?, _ fields: HTTPFields, equal: ([UInt8], [UInt8]) -> Bool, digest: ([UInt8]) -> [UInt8]
    ) -> Verdict {
        if let addresses {
            guard let address, addresses.contains(where: { $0.contains(address) }) else { return .addressRefused }
        }
        guard !digests.isEmpty else { return .admitted }
        guard let presented = Self.credentials(in: fields) else { return .credentialsMissing }
        let given = digest(presented)
        return digests.reduce(false) { equal($1, given) || $0 } ? .admitted : .credentialsWrong
    }

    /// `NAME:PASSWORD` as the request carries it; nil unless there is exactly one Basic token with a colon in it.
    package static func credentials(in fields: HTTPFields) -> [UInt8]? {
        let values = fields.all(.authorization)
        guard values.count == 1 else { return nil }
        let parts = values[0].split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "basic",
            let bytes = Base64.decode(String(parts[1].drop { $0 == " " })), bytes.contains(UInt8(ascii: ":"))
        else { return nil }
        return bytes
    }
}
