/// What a server can tell a client before there is a handshake (RFC 8446 section 6).
package enum TLSAlert: UInt8, Sendable, Hashable, CaseIterable {
    /// The client asked for a host that is not here.
    case unrecognizedName = 112
    /// The host is here, and not for this client.
    case accessDenied = 49
    /// The host is here, and cannot be served at present.
    case internalError = 80

    /// The alert as a whole record, fatal, in clear text.
    package var record: [UInt8] { [0x15, 0x03, 0x03, 0x00, 0x02, 0x02, rawValue] }
}
