/// What the first message of a TLS connection says before any handshake (RFC 8446 §4.1.2).
package struct ClientHello: Sendable, Hashable {
    /// The name that the client wants, in lower case and without a final dot; nil when it gave none, or an IP address.
    package var serverName: String?
    /// The protocols that the client offers by ALPN, in its order; empty when it offers none.
    package var applicationProtocols: [String]
}

/// Why bytes that begin like TLS are not a ClientHello.
package enum ClientHelloError: Error, Hashable, Sendable {
    /// A length that leads out of what encloses it, an empty record, or bytes too many.
    case malformedRecord, malformedHello, malformedExtension
    /// The first message is another one.
    case unexpectedMessage
    /// A server name that no host can have, several of them, or a NUL in one.
    case illegalServerName
    /// The hello is not over within `ClientHelloReader.byteCountMax` bytes.
    case tooLarge
}
