internal import TunnelDomain

/// The place of the newest line, kept sealed beside the trail.
///
/// The hashes bind each line to the one before it, so they cannot show that the last ones were cut off, or that everything
/// behind a line was written anew. The head can: who changes the store without the sealing key cannot make another one.
package enum AuditHead {
    private static let context = Array("audit-head".utf8)

    package static func seal(_ place: AuditPlace, with sealer: any Sealer) throws -> [UInt8] {
        try sealer.seal(UInt64(bitPattern: place.sequence).bigEndianBytes + place.hash, context: context)
    }

    /// The place that was sealed, or nil when this is no head that the service has sealed.
    package static func open(_ sealed: [UInt8], with sealer: any Sealer) -> AuditPlace? {
        guard let bytes = sealer.open(sealed, context: context), bytes.count == 8 + 32 else { return nil }
        let sequence = bytes.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return AuditPlace(sequence: Int64(bitPattern: sequence), hash: Array(bytes.dropFirst(8)))
    }
}
