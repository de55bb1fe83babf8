/// A user name and a password as HTTP Basic carries them (RFC 7617).
package struct BasicCredentials: Sendable, Hashable {
    package let userID: String
    package let password: String

    package init(userID: String, password: String) {
        self.userID = userID
        self.password = password
    }

    /// Reads what stands behind `Basic` in `Authorization`; nil unless it is base64 of UTF-8 with a colon.
    ///
    /// The first colon ends the user name, so a password may have colons and a user name cannot (section 2).
    package init?(token: String) {
        guard let bytes = Base64.decode(token), let text = String(validating: bytes, as: UTF8.self) else { return nil }
        guard let colon = text.utf8.firstIndex(of: UInt8(ascii: ":")) else { return nil }
        userID = String(text[..<colon])
        password = String(text[text.utf8.index(after: colon)...])
    }
}
