/// Encrypts what has to lie in the store and is or holds a secret: answers kept for replay, webhook signing keys.
package protocol Sealer: Sendable {
    /// Authenticated encryption; `context` is bound to the text and must be given again to open it.
    func seal(_ plaintext: [UInt8], context: [UInt8]) throws -> [UInt8]

    /// The text that was sealed, or nil when it was changed, sealed with another key or for another context.
    func open(_ sealed: [UInt8], context: [UInt8]) -> [UInt8]?
}
