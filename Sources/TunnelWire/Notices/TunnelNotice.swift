/// An answer in the tunnel's own name: why there is none from the program behind it, and what to do (data plane §5).
///
/// The service and the agent both give them. A browser gets a page, a program a problem document (RFC 9457), and a call of
/// gRPC a status of its own kind.
package struct TunnelNotice: Sendable, Hashable {
    /// 400...599.
    package var status: Int
    /// The value of `inkbox-reason`: stable, for programs.
    package var code: String
    /// What it is, in a few words.
    package var title: String
    /// What happened, in a sentence.
    package var reason: String
    /// What whoever sent the request can do, in whole sentences.
    package var forVisitor: String
    /// What the owner of the tunnel can do; empty when it is none of the owner's business.
    package var forOwner: String

    package init(status: Int, code: String, title: String, reason: String, forVisitor: String, forOwner: String = "") {
        self.status = status
        self.code = code
        self.title = title
        self.reason = reason
        self.forVisitor = forVisitor
        self.forOwner = forOwner
    }

    /// What happened and what to do, as one text for programs and their readers.
    package var detail: String {
        let owner = forOwner.isEmpty ? "" : "If this tunnel is yours: \(forOwner.prefix(1).lowercased())\(forOwner.dropFirst())"
        return [reason, forVisitor, owner].filter { !$0.isEmpty }.joined(separator: " ")
    }

    /// The whole answer but for `inkbox-reason`, which each side puts where it belongs.
    ///
    /// - Parameter request: the fields of the request, whose `Accept` and `Content-Type` decide the form.
    package func answer(requestID: String, to request: HTTPFields) -> (head: HTTPResponseHead, body: [UInt8]) {
        if request.areOfGRPCCall { return (gRPCAnswer(requestID: requestID), []) }
        let isPage = AcceptedTypes(request).prefersHTML
        var fields = HTTPFields()
        fields.append("content-type", isPage ? "text/html; charset=utf-8" : ProblemDetails.contentType)
        fields.append("cache-control", "no-store")
        fields.append("vary", "accept")
        fields.append("x-content-type-options", "nosniff")
        fields.append("x-request-id", requestID)
        if isPage {
            fields.append("content-security-policy", NoticePage.securityPolicy)
            fields.append("referrer-policy", "no-referrer")
        }
        let body = isPage ? Array(NoticePage.html(self, requestID: requestID).utf8) : problem(requestID: requestID)
        fields.append("content-length", String(body.count))
        return (HTTPResponseHead(status: status, fields: fields), body)
    }

    private func problem(requestID: String) -> [UInt8] {
        ProblemDetails(
            type: "urn:culvert:problem:\(code)", title: title, status: status, detail: detail,
            extensions: [.init("code", .string(code)), .init("request_id", .string(requestID))]
        ).json()
    }
}
