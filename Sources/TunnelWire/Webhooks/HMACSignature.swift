/// The form of a signature that no preset knows.
package struct HMACSignature: Sendable, Hashable {
    package enum Encoding: String, Sendable, Hashable, CaseIterable { case hex, base64 }

    package var hash: WebhookHash
    package var encoding: Encoding
    /// The lower-case name of the field that holds the signature.
    package var field: String
    /// What stands before the signature in its field, such as `sha256=`.
    package var prefix: String
    /// What is signed.
    package var template: SignatureTemplate
    /// The lower-case name of the field with the Unix timestamp; nil when the sender has none.
    package var timestampField: String?

    package init(
        hash: WebhookHash, encoding: Encoding, field: String, prefix: String = "", template: SignatureTemplate = .body,
        timestampField: String? = nil
    ) {
        self.hash = hash
        self.encoding = encoding
        self.field = field
        self.prefix = prefix
        self.template = template
        self.timestampField = timestampField
    }

    /// The bytes of a signature; nil when the text has another form.
    func code(in text: String) -> [UInt8]? {
        guard text.hasPrefix(prefix) else { return nil }
        let rest = text.dropFirst(prefix.count)
        switch encoding {
        case .hex: return Hex.decodeLowerCase(rest)
        case .base64: return Base64.decode(String(rest))
        }
    }

    func text(of code: [UInt8]) -> String {
        switch encoding {
        case .hex: prefix + Hex.encode(code)
        case .base64: prefix + Base64.encode(code)
        }
    }
}

/// What is signed, as a text with places: `{timestamp}.{body}`.
///
/// Places are `{body}`, `{timestamp}`, `{method}`, `{path}`, `{url}` and `{header:NAME}`.
package struct SignatureTemplate: Sendable, Hashable {
    package enum Part: Sendable, Hashable {
        case text(String)
        case body, timestamp, method, path, url
        /// By its lower-case name.
        case field(String)
    }

    package enum Flaw: Error, Hashable, CustomStringConvertible {
        case unclosedPlace
        case unknownPlace(String)
        /// A signature that leaves the body out proves nothing about it.
        case bodyMissing

        package var description: String {
            switch self {
            case .unclosedPlace: "a “{” has no “}”"
            case .unknownPlace(let name):
                "“{\(name)}” is no place; there are {body}, {timestamp}, {method}, {path}, {url} and {header:NAME}"
            case .bodyMissing: "the body is not signed; {body} must stand in it"
            }
        }
    }

    package static let body = SignatureTemplate(parts: [.body])

    package let parts: [Part]

    private init(parts: [Part]) { self.parts = parts }

    package init(parsing text: String) throws(Flaw) {
        var parts: [Part] = []
        var rest = Substring(text)
        while let open = rest.firstIndex(of: "{") {
            if open > rest.startIndex { parts.append(.text(String(rest[..<open]))) }
            guard let close = rest[open...].firstIndex(of: "}") else { throw .unclosedPlace }
            parts.append(try Self.part(String(rest[rest.index(after: open)..<close])))
            rest = rest[rest.index(after: close)...]
        }
        if !rest.isEmpty { parts.append(.text(String(rest))) }
        guard parts.contains(.body) else { throw .bodyMissing }
        self.parts = parts
    }

    /// Whether the timestamp that stands in this field is a part of what is signed.
    package func signs(_ timestampField: String) -> Bool {
        parts.contains { $0 == .timestamp || $0 == .field(timestampField) }
    }

    private static func part(_ name: String) throws(Flaw) -> Part {
        switch name {
        case "body": return .body
        case "timestamp": return .timestamp
        case "method": return .method
        case "path": return .path
        case "url": return .url
        default:
            guard name.hasPrefix("header:"), name.utf8.count > 7 else { throw .unknownPlace(name) }
            return .field(name.dropFirst(7).lowercased())
        }
    }

    /// The bytes that are signed; nil when a field is missing or repeated.
    func message(of request: WebhookRequest, timestamp: String?) -> [UInt8]? {
        var message: [UInt8] = []
        for part in parts {
            switch part {
            case .text(let text): message += Array(text.utf8)
            case .body: message += request.body
            case .method: message += Array(request.method.utf8)
            case .path: message += Array(request.path.utf8)
            case .url: message += Array(request.url.utf8)
            case .timestamp:
                guard let timestamp else { return nil }
                message += Array(timestamp.utf8)
            case .field(let name):
                guard let value = request.only(name) else { return nil }
                message += Array(value.utf8)
            }
        }
        return message
    }
}
