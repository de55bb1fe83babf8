/// The checksum that tells a mistyped secret from a revoked one: CRC-32 as in ISO 3309 and gzip (RFC 1952 section 8).
///
/// It finds every change confined to 32 neighbouring bits, so every wrong character; it protects against nobody who means it.
enum CRC32 {
    static func checksum(of bytes: some Sequence<UInt8>) -> UInt32 {
        var remainder = UInt32.max
        for byte in bytes {
            remainder = remainder >> 8 ^ table[Int(UInt8(truncatingIfNeeded: remainder) ^ byte)]
        }
        return ~remainder
    }

    /// The remainder of each byte under the reversed polynomial 0xEDB88320.
    private static let table: [UInt32] = (0..<256).map { byte in
        (0..<8).reduce(UInt32(byte)) { remainder, _ in
            remainder & 1 == 1 ? remainder >> 1 ^ 0xEDB8_8320 : remainder >> 1
        }
    }
}
