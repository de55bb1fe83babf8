/// An error as a document: `application/problem+json` (RFC 9457).
package struct ProblemDetails: Sendable, Hashable {
    package static let contentType = "application/problem+json"

    /// What an extension member can hold; enough for limits, dates and lists of names.
    package indirect enum Value: Sendable, Hashable {
        case null
        case bool(Bool)
        case integer(Int)
        case string(String)
        case array([Value])
        case object([Member])
    }

    package struct Member: Sendable, Hashable {
        package var name: String
        package var value: Value

        package init(_ name: String, _ value: Value) {
            self.name = name
            self.value = value
        }
    }

    /// A URI that identifies the kind of problem; `about:blank` says that the status tells it all.
    package var type: String
    /// The kind of problem in a few words, the same each time.
    package var title: String
    package var status: Int
    /// What happened this time, why, and what to do next.
    package var detail: String?
    /// Identifies this occurrence, such as a request id.
    package var instance: String?
    /// Further members in order; names of the members above are left out when written.
    package var extensions: [Member]

    package init(
        type: String = "about:blank", title: String, status: Int, detail: String? = nil, instance: String? = nil,
        extensions: [Member] = []
    ) {
        self.type = type
        self.title = title
        self.status = status
        self.detail = detail
        self.instance = instance
        self.extensions = extensions
    }

    /// The document as JSON in UTF-8, without blanks.
    package func json() -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("type", .string(type))
        writer.member("title", .string(title))
        writer.member("status", .integer(status))
        if let detail { writer.member("detail", .string(detail)) }
        if let instance { writer.member("instance", .string(instance)) }
        for member in extensions where !ProblemDetails.standardNames.contains(member.name) {
            writer.member(member.name, member.value)
        }
        writer.endObject()
        return writer.bytes
    }

    private static let standardNames: Set<String> = ["type", "title", "status", "detail", "instance"]
}

extension JSONWriter {
    fileprivate mutating func member(_ name: String, _ value: ProblemDetails.Value) {
        self.name(name)
        write(value)
    }

    private mutating func write(_ value: ProblemDetails.Value) {
        switch value {
        case .null: null()
        case .bool(let flag): bool(flag)
        case .integer(let number): integer(number)
        case .string(let text): string(text)
        case .array(let values):
            beginArray()
            for value in values { write(value) }
            endArray()
        case .object(let members):
            beginObject()
            for member in members { self.member(member.name, member.value) }
            endObject()
        }
    }
}
