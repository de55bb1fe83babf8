/// An app's identifier, which it also gives as its user name: `app_` and 32 lower-case hexadecimal digits.
///
/// It has no colon, as HTTP Basic demands of a user name (RFC 7617 section 2).
public struct AppID: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// What every app's identifier begins with.
    public static let prefix = "app_"

    public let value: UUIDValue

    /// Takes any UUID.
    public init(_ value: UUIDValue) { self.value = value }

    /// Makes a new identifier of 16 random bytes (a precondition), as UUID version 4.
    public init(randomBytes: [UInt8]) { value = UUIDValue(randomBytes: randomBytes) }

    /// Takes the one spelling that an identifier has; anything else gives nil.
    public init?(_ text: String) {
        guard text.utf8.starts(with: Self.prefix.utf8) else { return nil }
        let digits = text.utf8.dropFirst(Self.prefix.utf8.count)
        guard digits.count == 32, digits.allSatisfy({ Hexadecimal.isLowerDigit($0) }) else { return nil }
        let number = { (half: Substring.UTF8View) in half.reduce(UInt64(0)) { $0 << 4 | UInt64(Hexadecimal.value(of: $1) ?? 0) }
        }
        value = UUIDValue(high: number(digits.prefix(16)), low: number(digits.suffix(16)))
    }

    /// The identifier as it is written everywhere.
    public var text: String { Self.prefix + Hexadecimal.text(of: value.bytes) }
    public var description: String { text }

    public static func < (left: AppID, right: AppID) -> Bool { left.value < right.value }
}
