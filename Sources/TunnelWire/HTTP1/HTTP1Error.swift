/// Why a message was refused. After an error the connection cannot be trusted: answer with `status` and close.
package enum HTTP1Error: Error, Hashable, Sendable, CaseIterable {
    // The request or status line.
    case malformedRequestLine, malformedStatusLine
    case illegalMethod, illegalTarget, targetTooLong
    case malformedVersion, unsupportedVersion
    // The field lines.
    case bareLineFeed, bareCarriageReturn, foldedField
    case missingColon, emptyFieldName, blankBeforeColon, illegalFieldName, illegalFieldValue
    case headTooLarge, tooManyFields
    // Host and target.
    case missingHost, repeatedHost, malformedHost, hostMismatch
    // Framing.
    case lengthAndTransferEncoding, repeatedLength, malformedLength
    case unsupportedTransferEncoding, transferEncodingInHTTP10
    case unexpectedContent
    case unsupportedExpectation
    case malformedChunkSize, chunkLineTooLong, malformedChunkExtension, missingChunkEnd
    case forbiddenTrailer, trailersTooLarge
    /// Responses only: a byte that answers no request, or interim heads without end.
    case unsolicitedResponse, tooManyInterimHeads
    /// The peer closed before the message was whole.
    case truncated
    /// We were asked to write something that would not be HTTP.
    case illegalOutput

    /// The answer that tells a client; towards an origin's bad response use 502 instead.
    package var status: Int {
        switch self {
        case .malformedRequestLine, .malformedStatusLine, .illegalMethod, .illegalTarget, .malformedVersion, .bareLineFeed,
            .bareCarriageReturn, .foldedField, .missingColon, .emptyFieldName, .blankBeforeColon, .illegalFieldName,
            .illegalFieldValue, .missingHost, .repeatedHost, .malformedHost, .hostMismatch, .lengthAndTransferEncoding,
            .repeatedLength, .malformedLength, .unsupportedTransferEncoding, .transferEncodingInHTTP10, .unexpectedContent,
            .malformedChunkSize, .chunkLineTooLong, .malformedChunkExtension, .missingChunkEnd, .forbiddenTrailer, .truncated,
            .unsolicitedResponse, .tooManyInterimHeads:
            400
        case .targetTooLong: 414
        case .unsupportedExpectation: 417
        case .headTooLarge, .tooManyFields, .trailersTooLarge: 431
        case .illegalOutput: 500
        case .unsupportedVersion: 505
        }
    }

    /// One sentence for people: what was wrong and what would be right.
    package var explanation: String {
        switch self {
        case .malformedRequestLine: "The request line is not METHOD SP TARGET SP VERSION with single spaces."
        case .malformedStatusLine: "The status line is not VERSION SP three digits SP reason."
        case .illegalMethod: "The method is not a token of at most 32 characters."
        case .illegalTarget:
            "The request target is not a path, an http or https URL without fragment, * for OPTIONS, or host:port for CONNECT."
        case .targetTooLong: "The request target is longer than this server takes; shorten the URL."
        case .malformedVersion: "The protocol version is not HTTP/ digit . digit."
        case .unsupportedVersion: "Only HTTP/1.0 and HTTP/1.1 are spoken here; HTTP/2 is agreed on by ALPN."
        case .bareLineFeed: "A line ends with LF alone; end every line with CR LF."
        case .bareCarriageReturn: "A CR stands where no line ends."
        case .foldedField: "A header line begins with a blank; folded header lines are obsolete, write the field on one line."
        case .missingColon: "A header line has no colon."
        case .emptyFieldName: "A header line has no name before the colon."
        case .blankBeforeColon: "A header line has a blank before its colon."
        case .illegalFieldName: "A header name has a character that a token may not have."
        case .illegalFieldValue: "A header value has a control character."
        case .headTooLarge: "The header section is larger than this server takes; send fewer or smaller headers."
        case .tooManyFields: "The message has more header fields than this server takes."
        case .missingHost: "The request has no Host header, which HTTP/1.1 demands."
        case .repeatedHost: "The request has more than one Host header."
        case .malformedHost: "The Host header is not a host name or IP address with an optional port from 1 to 65535."
        case .hostMismatch: "The URL in the request line names another host than the Host header."
        case .lengthAndTransferEncoding: "The message has both Content-Length and Transfer-Encoding; send only one of them."
        case .repeatedLength: "The message has more than one Content-Length."
        case .malformedLength: "The Content-Length is not a plain decimal number."
        case .unsupportedTransferEncoding: "The Transfer-Encoding is not exactly chunked."
        case .transferEncodingInHTTP10: "An HTTP/1.0 message cannot have a Transfer-Encoding."
        case .unexpectedContent: "The message announces a body where none may be."
        case .unsupportedExpectation: "The Expect header asks for something else than 100-continue."
        case .malformedChunkSize: "A chunk does not begin with its size in hexadecimal digits."
        case .chunkLineTooLong: "The line with a chunk's size is longer than this server takes."
        case .malformedChunkExtension: "A chunk extension is not ;name or ;name=value."
        case .missingChunkEnd: "A chunk's data is not followed by CR LF."
        case .forbiddenTrailer: "A trailer field would change how the message is framed or routed."
        case .trailersTooLarge: "The trailer section is larger than this server takes."
        case .unsolicitedResponse: "The server sent bytes that answer no request."
        case .tooManyInterimHeads: "The server sent more interim responses than are believable."
        case .truncated: "The connection ended before the message did."
        case .illegalOutput: "The message to be sent has a character that HTTP/1.1 cannot carry."
        }
    }
}
