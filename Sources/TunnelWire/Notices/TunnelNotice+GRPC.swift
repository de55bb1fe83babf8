extension TunnelNotice {
    /// The notice as a gRPC server would say it: a reply that is its trailers only. HTTP's status is 200 then, whatever became
    /// of the call (gRPC over HTTP/2, "Responses").
    package func gRPCAnswer(requestID: String) -> HTTPResponseHead {
        var fields = HTTPFields()
        fields.append("content-type", "application/grpc")
        fields.append("grpc-status", String(gRPCStatus.rawValue))
        fields.append("grpc-message", GRPCStatus.encoded(detail))
        fields.append("cache-control", "no-store")
        fields.append("x-request-id", requestID)
        return HTTPResponseHead(status: 200, fields: fields)
    }

    /// The notice's status in the words of gRPC.
    private var gRPCStatus: GRPCStatus {
        switch status {
        case 401: .unauthenticated
        case 403: .permissionDenied
        case 404, 501: .unimplemented
        case 413, 431: .resourceExhausted
        case 421, 429, 502, 503: .unavailable
        case 504: .deadlineExceeded
        case 400: .internalError
        default: .unknown
        }
    }
}

/// The status codes of gRPC that a tunnel gives in its own name.
package enum GRPCStatus: Int, Sendable, CaseIterable {
    case unknown = 2
    case deadlineExceeded = 4
    case permissionDenied = 7
    case resourceExhausted = 8
    case unimplemented = 12
    case internalError = 13
    case unavailable = 14
    case unauthenticated = 16

    /// The text as `grpc-message` carries it: percent-encoded but for what is printable ASCII, the percent sign aside.
    package static func encoded(_ message: String) -> String {
        var encoded = ""
        for byte in message.utf8 {
            if (0x20...0x7E).contains(byte), byte != UInt8(ascii: "%") {
                encoded.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                let digits = String(byte, radix: 16, uppercase: true)
                encoded += digits.count == 1 ? "%0\(digits)" : "%\(digits)"
            }
        }
        return encoded
    }
}
