/// A tunnel's identifier, for its whole life and after it.
public struct TunnelID: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let value: UUIDValue

    /// Takes any UUID.
    public init(_ value: UUIDValue) { self.value = value }

    /// Reads a UUID in either case; anything else gives nil.
    public init?(_ text: String) {
        guard let value = UUIDValue(text) else { return nil }
        self.value = value
    }

    /// Makes a new identifier of 16 random bytes (a precondition), as UUID version 4.
    public init(randomBytes: [UInt8]) { value = UUIDValue(randomBytes: randomBytes) }

    /// The identifier as lower-case UUID text.
    public var text: String { value.text }
    public var description: String { text }

    public static func < (left: TunnelID, right: TunnelID) -> Bool { left.value < right.value }
}

/// An identity's identifier.
public struct IdentityID: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let value: UUIDValue

    /// Takes any UUID.
    public init(_ value: UUIDValue) { self.value = value }

    /// Reads a UUID in either case; anything else gives nil.
    public init?(_ text: String) {
        guard let value = UUIDValue(text) else { return nil }
        self.value = value
    }

    /// Makes a new identifier of 16 random bytes (a precondition), as UUID version 4.
    public init(randomBytes: [UInt8]) { value = UUIDValue(randomBytes: randomBytes) }

    /// The identifier as lower-case UUID text.
    public var text: String { value.text }
    public var description: String { text }

    public static func < (left: IdentityID, right: IdentityID) -> Bool { left.value < right.value }
}

/// An organization's identifier: `org_` and 1 to 64 ASCII letters, digits or underscores.
public struct OrganizationID: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// What every organization's identifier begins with.
    public static let prefix = "org_"
    /// The most bytes after the prefix.
    public static let bodyByteCountMax = 64

    /// The identifier as it is written everywhere.
    public let text: String

    /// Takes a text of that form; anything else gives nil.
    public init?(_ text: String) {
        guard text.utf8.starts(with: Self.prefix.utf8) else { return nil }
        let body = text.utf8.dropFirst(Self.prefix.utf8.count)
        guard (1...Self.bodyByteCountMax).contains(body.count),
            body.allSatisfy({ ASCII.isLowerOrDigit($0) || ASCII.isUpper($0) || $0 == ASCII.underscore })
        else { return nil }
        self.text = text
    }

    /// Makes a new identifier of random bytes, 1 to 40 of them (a precondition); 16 make collisions unthinkable.
    public init(randomBytes: [UInt8]) {
        precondition((1...40).contains(randomBytes.count), "an organization's identifier is made of 1 to 40 bytes")
        text = Self.prefix + Base62.text(of: randomBytes)
    }

    public var description: String { text }

    public static func < (left: OrganizationID, right: OrganizationID) -> Bool { left.text < right.text }
}
