/// Why a message cannot travel through the tunnel, or came out of it broken.
package enum EnvelopeError: Error, Hashable, Sendable {
    /// A header value that is not UTF-8: the agent could not read it.
    case invalidHeader
    /// A method or target that is not HTTP.
    case invalidRequestLine
    /// The envelope would be larger than the header list that the agent takes.
    case headersTooLarge(byteCount: Int, byteCountMax: Int)
    /// A field of the envelope itself is missing, doubled or makes no sense.
    case missingField(KnownField)
    case repeatedField(KnownField)
    case malformedField(KnownField)
    /// A carried field whose name or value HTTP does not allow.
    case illegalField
    /// The carried content-length and that of the stream differ.
    case lengthMismatch
    /// Bytes that are no head of a reply.
    case malformedReply

    /// The status for the third party: its own fault or that of the other side of the tunnel.
    package var status: Int {
        switch self {
        case .invalidHeader, .invalidRequestLine: 400
        case .headersTooLarge: 431
        case .missingField, .repeatedField, .malformedField, .illegalField, .lengthMismatch, .malformedReply: 502
        }
    }

    /// What goes into `inkbox-reason`.
    package var reason: StaticString {
        switch self {
        case .invalidHeader: "invalid-header"
        case .invalidRequestLine: "invalid-request"
        case .headersTooLarge: "headers-too-large"
        case .missingField, .repeatedField, .malformedField, .illegalField, .lengthMismatch, .malformedReply:
            "invalid-reply"
        }
    }

    /// One sentence for people.
    package var explanation: String {
        switch self {
        case .invalidHeader: "A header value is not UTF-8, which the tunnel's agent cannot read; encode it."
        case .invalidRequestLine: "The method or the path has a character that HTTP does not allow."
        case .headersTooLarge(let byteCount, let byteCountMax):
            "The headers make \(byteCount) bytes in the tunnel, and its agent takes \(byteCountMax); send fewer or smaller."
        case .missingField(let field): "The message from the tunnel has no \(field.text) field."
        case .repeatedField(let field): "The message from the tunnel has more than one \(field.text) field."
        case .malformedField(let field): "The message from the tunnel has a \(field.text) field that makes no sense."
        case .illegalField: "The message from the tunnel has a header that HTTP does not allow."
        case .lengthMismatch: "The message from the tunnel announces two different lengths."
        case .malformedReply: "The reply from the tunnel does not begin with a head."
        }
    }
}

extension KnownField {
    /// The name as text; `header` for any unknown one.
    package var text: String { name.map { "\($0)" } ?? "header" }
}
