/// The head of a request: what RFC 9110 calls control data and header section, of HTTP/1.1 and HTTP/2 alike.
package struct HTTPRequestHead: Sendable {
    package var method: String
    /// The request target as sent: path and query with percent-encoding untouched; empty for CONNECT without `:path`.
    package var target: String
    /// Host and optional port as sent: the Host field or `:authority`.
    package var authority: String
    /// `http` or `https`, as the connection was (HTTP/1.1) or as `:scheme` says (HTTP/2).
    package var scheme: String
    /// The `:protocol` of an extended CONNECT (RFC 8441), or nil.
    package var upgradeProtocol: String?
    package var fields: HTTPFields

    package init(
        method: String, target: String, authority: String, scheme: String = "https", upgradeProtocol: String? = nil,
        fields: HTTPFields = HTTPFields()
    ) {
        self.method = method
        self.target = target
        self.authority = authority
        self.scheme = scheme
        self.upgradeProtocol = upgradeProtocol
        self.fields = fields
    }
}

/// The head of a response.
package struct HTTPResponseHead: Sendable {
    /// 100...999; 1xx are interim responses.
    package var status: Int
    package var fields: HTTPFields

    package init(status: Int, fields: HTTPFields = HTTPFields()) {
        self.status = status
        self.fields = fields
    }
}
