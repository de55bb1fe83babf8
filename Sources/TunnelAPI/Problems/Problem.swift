package import TunnelWire

/// An error answer as RFC 9457 describes it.
package struct Problem: Error, Sendable {
    package var status: Int
    /// The last part of the problem's type, such as `name-unavailable`.
    package var kind: String
    package var title: String
    /// For people; a sentence, or, where a client's mapping needs one, an object.
    package var detail: JSONValue
    /// What is wrong with which part of the request; stands only in answers with 422.
    package var errors: [FieldError]
    /// Members of this kind of problem alone (RFC 9457 section 3.2).
    package var extensions: [JSONMember] = []
    /// Fields that go with the answer: `WWW-Authenticate`, `Allow`, `Retry-After`.
    package var fields: HTTPFields

    package init(
        _ status: Int, _ kind: String, title: String, detail: String, errors: [FieldError] = [],
        fields: HTTPFields = HTTPFields()
    ) {
        self.status = status
        self.kind = kind
        self.title = title
        self.detail = .string(detail)
        self.errors = errors
        self.fields = fields
    }

    /// The start of every problem type; types are names, there is nothing to fetch behind them.
    package static let typePrefix = "urn:culvert:problem:"

    package static let contentType = "application/problem+json"
}

/// One part of a request that breaks a rule.
package struct FieldError: Sendable, Hashable {
    /// A JSON pointer into the body (RFC 6901), `?name` for a query item, or the name of a header field.
    package var pointer: String
    package var detail: String

    package init(_ pointer: String, _ detail: String) {
        self.pointer = pointer
        self.detail = detail
    }
}

extension Problem {
    /// The document; `instance` names this very occurrence by its request id.
    package func document(requestID: String) -> JSONValue {
        var members = [
            JSONMember("type", .string(Problem.typePrefix + kind)),
            JSONMember("title", .string(title)),
            JSONMember("status", .integer(status)),
            JSONMember("detail", detail),
            JSONMember("instance", .string("urn:culvert:request:" + requestID)),
        ]
        members += extensions
        if !errors.isEmpty {
            let list = errors.map { JSONValue.members(["pointer": .string($0.pointer), "detail": .string($0.detail)]) }
            members.append(JSONMember("errors", .array(list)))
        }
        return .object(members)
    }
}
