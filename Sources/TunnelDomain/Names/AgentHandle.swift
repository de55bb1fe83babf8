/// An agent's handle: the name of an identity, in the same namespace and by the same rules as tunnel names.
///
/// One leading `@` is dropped and ASCII letters are lower-cased before the rules are applied (control plane, section 4).
public struct AgentHandle: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The name of the tunnel that belongs to the handle.
    public let name: TunnelName

    /// Takes a handle as people write it; the error tells the rule that its normal form breaks.
    public init(validating text: String) throws(TunnelNameError) {
        let bare = text.utf8.first == ASCII.at ? String(text.unicodeScalars.dropFirst()) : text
        name = try TunnelName(validating: ASCII.lowercased(bare))
    }

    /// Takes a tunnel's name, which is a handle in its normal form.
    public init(_ name: TunnelName) { self.name = name }

    /// The handle in its normal form, without `@`.
    public var text: String { name.text }
    public var description: String { text }

    public static func < (left: AgentHandle, right: AgentHandle) -> Bool { left.name < right.name }
}
