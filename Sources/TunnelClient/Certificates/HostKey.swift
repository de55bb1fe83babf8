internal import TLS

/// The private key of a passthrough tunnel's agent, which ends TLS for its public host.
///
/// Its description never shows the key.
public struct HostKey: Sendable, CustomStringConvertible {
    private let key: PrivateKey

    /// Makes a fresh EC key on the curve P-256.
    ///
    /// - Throws: ``HostKeyError`` when the cryptographic library fails.
    public init() throws(HostKeyError) {
        do { key = try PrivateKey() } catch { throw HostKeyError(reason: "\(error)") }
    }

    /// Reads a key that is not encrypted from PEM.
    ///
    /// - Throws: ``HostKeyError`` when the text is no such key.
    public init(pem: String) throws(HostKeyError) {
        do { key = try PrivateKey(pem: pem) } catch { throw HostKeyError(reason: "\(error)") }
    }

    /// The key as PKCS #8 PEM, not encrypted: keep it in a file that only its owner can read.
    public var pem: String {
        get throws(HostKeyError) {
            do { return try key.pem() } catch { throw HostKeyError(reason: "\(error)") }
        }
    }

    /// A request (PKCS #10, RFC 2986) in PEM for a certificate of this host and no other, as
    /// ``CulvertClient/signCSR(tunnelID:csrPEM:)`` takes it.
    ///
    /// - Parameter host: a public host such as `my-agent.tunnels.example`.
    public func signingRequest(forHost host: String) throws(HostKeyError) -> String {
        do { return try CertificateRequest.pem(forHost: host, key: key) } catch { throw HostKeyError(reason: "\(error)") }
    }

    public var description: String { "private key" }
}

/// Why a private key could not be made, read or used.
public struct HostKeyError: Error, Sendable, Hashable, CustomStringConvertible {
    /// For people; without any of the key.
    public var reason: String
    public var description: String { reason }
}
