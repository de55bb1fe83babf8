/// How messages are told apart on a stream of bytes.
package enum JSONRPCFraming: Sendable, Hashable, CaseIterable {
    /// One message on each line, as the Model Context Protocol has it.
    case lines
    /// A `Content-Length` header, an empty line and so many bytes, as the Language Server Protocol has it.
    case headers
}

extension JSONRPCFraming {
    /// The framing that a stream begins with, blanks and a byte order mark aside; nil while that is open.
    static func recognized(by bytes: ArraySlice<UInt8>) -> JSONRPCFraming? {
        let header = "content-".utf8
        for (byte, expected) in zip(bytes, header) where byte | 0x20 != expected && byte != expected { return .lines }
        return bytes.count < header.count ? nil : .headers
    }

    /// A message as it goes on the wire.
    package func frame(_ value: JSONValue) -> [UInt8] { frame(text: value.serialized) }

    /// A message that is serialized already, by ``JSONValue/serialized``: that text has no line breaks, for they stand escaped
    /// in strings.
    package func frame(text: [UInt8]) -> [UInt8] {
        switch self {
        case .lines: return text + [0x0A]
        case .headers: return Array("Content-Length: \(text.count)\r\n\r\n".utf8) + text
        }
    }
}
