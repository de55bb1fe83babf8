/// Where unguessable bytes come from.
package protocol Randomness: Sendable {
    /// As many bytes as asked for, from the system's cryptographic generator.
    func bytes(_ count: Int) -> [UInt8]
}
