internal import COpenSSL

/// Unpredictable bytes from OpenSSL's generator, which the kernel seeds.
package enum RandomBytes {
    /// As many fresh bytes as asked for.
    ///
    /// A generator that cannot be seeded is no generator: the process ends rather than hand out guessable secrets.
    package static func make(count: Int) -> [UInt8] {
        precondition(count >= 0 && count <= Int(Int32.max), "a secret has a sensible length")
        return [UInt8](unsafeUninitializedCapacity: count) { bytes, initialized in
            let status = count == 0 ? 1 : RAND_bytes(bytes.baseAddress, Int32(count))
            precondition(status == 1, "the system gives no randomness; no secret can be made safely")
            initialized = count
        }
    }
}

/// The same source as a Swift generator.
package struct SecureGenerator: RandomNumberGenerator, Sendable {
    package init() {}

    package mutating func next() -> UInt64 {
        RandomBytes.make(count: 8).reduce(0) { $0 << 8 | UInt64($1) }
    }
}
