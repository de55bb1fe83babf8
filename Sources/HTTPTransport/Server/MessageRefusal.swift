internal import TunnelWire

/// A message that was refused before it became an exchange: bytes that are no HTTP, a head that is too large or too late.
package struct MessageRefusal: Sendable, Hashable {
    /// 400...599
    package var status: Int
    /// One sentence for people.
    package var explanation: String

    package init(status: Int, explanation: String) {
        self.status = status
        self.explanation = explanation
    }
}

extension HTTPServerHandler {
    /// A problem document (RFC 9457) that no cache keeps.
    package func answer(to refusal: MessageRefusal) -> BufferedResponse {
        var fields = HTTPFields()
        fields.append("content-type", ProblemDetails.contentType)
        fields.append("cache-control", "no-store")
        let problem = ProblemDetails(
            type: "about:blank", title: "Request refused", status: refusal.status, detail: refusal.explanation)
        return BufferedResponse(status: refusal.status, fields: fields, body: problem.json())
    }
}
