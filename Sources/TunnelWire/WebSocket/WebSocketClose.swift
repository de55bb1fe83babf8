/// The number that says why a WebSocket ends (RFC 6455 section 7.4, and the IANA registry).
package struct WebSocketCloseCode: RawRepresentable, Sendable, Hashable {
    package let rawValue: UInt16

    /// Any number; whether it may be sent is for `isSendable` to say.
    package init(rawValue: UInt16) { self.rawValue = rawValue }

    package static let normal = Self(rawValue: 1000)
    package static let goingAway = Self(rawValue: 1001)
    package static let protocolError = Self(rawValue: 1002)
    /// The data was not UTF-8.
    package static let invalidPayload = Self(rawValue: 1007)
    package static let messageTooBig = Self(rawValue: 1009)
    package static let internalError = Self(rawValue: 1011)
    /// The tunnel's agent went away; it may come back.
    package static let serviceRestart = Self(rawValue: 1012)
    /// The service drains (data plane, section 6).
    package static let draining = Self(rawValue: 4500)
    /// The agent accepted and never bound its end (data plane, section 6).
    package static let bindTimedOut = Self(rawValue: 4504)

    /// Whether a close frame may carry it: 1004 to 1006 and 1015 stand for what was not sent, and 1016 to 2999 are nobody's.
    package var isSendable: Bool {
        switch rawValue {
        case 1000...1003, 1007...1014, 3000...4999: true
        default: false
        }
    }
}

/// What a close frame says.
package struct WebSocketClose: Sendable, Hashable {
    /// Nil when the frame was empty: to applications that is 1005.
    package var code: WebSocketCloseCode?
    package var reason: String

    package init(_ code: WebSocketCloseCode?, reason: String = "") {
        self.code = code
        self.reason = reason
    }

    /// The most bytes of a reason in UTF-8.
    package static let reasonByteCountMax = WebSocketFrameHeader.controlPayloadByteCountMax - 2

    /// Reads a close frame's payload.
    init(parsing payload: Span<UInt8>) throws(WebSocketError) {
        guard payload.count != 1 else { throw .malformedClose }
        guard payload.count >= 2 else {
            self.init(nil)
            return
        }
        let code = WebSocketCloseCode(rawValue: UInt16(payload[0]) << 8 | UInt16(payload[1]))
        guard code.isSendable else { throw .illegalCloseCode(Int(code.rawValue)) }
        var check = UTF8Check()
        let text = payload.extracting(2..<payload.count)
        guard check.accepts(text), check.isComplete else { throw .illegalText }
        self.init(code, reason: String(decodingLossily: text))
    }

    /// The payload of the frame; a reason that is too long is cut between two characters.
    package var payload: [UInt8] {
        guard let code else { return [] }
        precondition(code.isSendable, "a code that stands for a missing frame is never sent")
        var text = reason
        while text.utf8.count > Self.reasonByteCountMax { text.removeLast() }
        return [UInt8(code.rawValue >> 8), UInt8(truncatingIfNeeded: code.rawValue)] + Array(text.utf8)
    }
}
