/// One event of a `text/event-stream` (WHATWG HTML, section 9.2).
package struct ServerSentEvent: Sendable, Hashable {
    /// What the client sends as `Last-Event-ID` when it comes back; nil leaves what it had.
    package let id: String?
    /// What listeners are registered for.
    package let name: String
    package let data: String

    /// Takes an id and a name without line breaks and an id without NUL: a client would read something else.
    package init(id: String?, name: String, data: String) {
        precondition(!name.isEmpty && !name.unicodeScalars.contains(where: \.endsLine), "an event's name is one line")
        precondition(id?.unicodeScalars.contains { $0.endsLine || $0 == "\0" } != true, "an event's id is one line")
        self.id = id
        self.name = name
        self.data = data
    }

    package static let contentType = "text/event-stream"

    /// Adds the event to a stream.
    package func append(to bytes: inout [UInt8]) {
        if let id { Self.append("id", id, to: &bytes) }
        Self.append("event", name, to: &bytes)
        for line in Self.lines(of: data) { Self.append("data", line, to: &bytes) }
        bytes.append(newline)
    }

    /// Adds a line that clients skip; it keeps what lies between from thinking that the stream is dead. With an id it also
    /// moves the place from which the client resumes, without an event.
    package static func append(comment: String, id: String? = nil, to bytes: inout [UInt8]) {
        precondition(!comment.unicodeScalars.contains(where: \.endsLine), "a comment is one line")
        bytes.append(contentsOf: ": \(comment)\n".utf8)
        if let id { append("id", id, to: &bytes) }
        bytes.append(newline)
    }

    /// Adds how long a client should wait before it connects again.
    package static func append(retryMilliseconds: Int, to bytes: inout [UInt8]) {
        append("retry", String(retryMilliseconds), to: &bytes)
        bytes.append(newline)
    }

    private static func append(_ field: String, _ value: String, to bytes: inout [UInt8]) {
        bytes.append(contentsOf: "\(field): \(value)\n".utf8)
    }

    /// CR, LF and CRLF all end a line.
    private static func lines(of text: String) -> [String] {
        var lines = [""]
        var isAfterCR = false
        for scalar in text.unicodeScalars {
            if scalar == "\n", isAfterCR {
                isAfterCR = false
                continue
            }
            isAfterCR = scalar == "\r"
            if scalar.endsLine { lines.append("") } else { lines[lines.count - 1].unicodeScalars.append(scalar) }
        }
        return lines
    }
}

private let newline = UInt8(ascii: "\n")

extension Unicode.Scalar {
    fileprivate var endsLine: Bool { self == "\r" || self == "\n" }
}
