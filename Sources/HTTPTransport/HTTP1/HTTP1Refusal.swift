internal import TunnelWire

/// The answer to bytes that are no HTTP/1.1 request.
enum HTTP1Refusal {
    static func head(for error: HTTP1Error) -> HTTPResponseHead {
        var fields = HTTPFields()
        fields.append("content-type", "application/problem+json")
        fields.append("cache-control", "no-store")
        return HTTPResponseHead(status: error.status, fields: fields)
    }

    static func body(for error: HTTP1Error) -> [UInt8] {
        // The explanations are ours and hold no character that JSON would have to escape.
        Array(#"{"type":"about:blank","title":"Bad request","status":\#(error.status),"detail":"\#(error.explanation)"}"#.utf8)
    }
}
