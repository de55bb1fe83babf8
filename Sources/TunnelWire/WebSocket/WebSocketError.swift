/// Why bytes are not what RFC 6455 allows; the connection cannot go on.
package enum WebSocketError: Error, Sendable, Hashable {
    /// A reserved bit is set, and no extension was agreed on.
    case reservedBit
    case unknownOpcode(UInt8)
    /// A client's frame without a masking key, or a server's frame with one.
    case unmasked, masked
    /// The length is not written in the fewest bytes, or is past 2⁶³.
    case malformedLength
    /// A control frame in pieces, or one of more than 125 bytes.
    case fragmentedControl, controlTooLong
    /// A continuation without a message to continue, or a new message before the one before it has ended.
    case unexpectedContinuation, unfinishedMessage
    /// A close frame of one byte, or with a code that must not be sent.
    case malformedClose, illegalCloseCode(Int)
    /// A text message, or a reason, that is not UTF-8.
    case illegalText
    /// The message has more bytes than are allowed.
    case messageTooLarge
    /// Bytes after the close frame.
    case dataAfterClose
}

extension WebSocketError {
    /// The code to close with (RFC 6455 section 7.4.1).
    package var closeCode: WebSocketCloseCode {
        switch self {
        case .reservedBit, .unknownOpcode, .unmasked, .masked, .malformedLength, .fragmentedControl, .controlTooLong,
            .unexpectedContinuation, .unfinishedMessage, .malformedClose, .illegalCloseCode, .dataAfterClose:
            .protocolError
        case .illegalText: .invalidPayload
        case .messageTooLarge: .messageTooBig
        }
    }
}
