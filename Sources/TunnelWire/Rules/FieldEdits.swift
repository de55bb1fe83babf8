/// Changes to a header section: first fields are taken out by their names, then others are put in.
package struct FieldEdits: Sendable, Hashable {
    /// Whose fields: those of requests to the local program, or of its responses.
    package enum Direction: Sendable, Hashable { case request, response }

    package struct Field: Sendable, Hashable {
        /// In lower case.
        package let name: String
        package let value: String
    }

    package let direction: Direction
    /// In lower case.
    package private(set) var removed: Set<String> = []
    /// In the order in which they are put in.
    package private(set) var added: [Field] = []

    package init(_ direction: Direction) { self.direction = direction }

    package var isEmpty: Bool { removed.isEmpty && added.isEmpty }

    /// Takes every field of this name out.
    package mutating func remove(_ name: String) throws(FieldEditError) { removed.insert(try checked(name)) }

    /// Puts a field in, behind all others; one of the same name stays unless it is removed as well.
    package mutating func add(_ name: String, _ value: String) throws(FieldEditError) {
        let name = try checked(name)
        let bytes = value.utf8
        guard HTTPSyntax.isFieldValue(Array(bytes).span), bytes.first.map(Self.isBlank) != true,
            bytes.last.map(Self.isBlank) != true
        else { throw .illegalValue(of: name) }
        added.append(Field(name: name, value: value))
    }

    /// The trailers without the fields that are taken out; nil when none is left. Nothing is put in there.
    package func removal(from trailers: HTTPFields) -> HTTPFields? {
        guard !removed.isEmpty else { return trailers }
        var kept = HTTPFields()
        appendKept(of: trailers, to: &kept)
        return kept.isEmpty ? nil : kept
    }

    private func appendKept(of fields: HTTPFields, to output: inout HTTPFields) {
        fields.forEach { _, name, value in
            if removed.isEmpty || !removed.contains(String(decodingLossily: name)) { output.append(name: name, value: value) }
        }
    }

    /// The fields after the changes; what is neither removed nor added is as it was.
    package func applied(to fields: HTTPFields) -> HTTPFields {
        guard !isEmpty else { return fields }
        var edited = HTTPFields()
        edited.reserve(
            byteCount: fields.byteCount + added.reduce(0) { $0 + $1.name.utf8.count + $1.value.utf8.count },
            fieldCount: fields.count + added.count)
        appendKept(of: fields, to: &edited)
        for field in added { edited.append(name: field.name, value: field.value) }
        return edited
    }

    /// The name in lower case, if it is one that may be changed: not what belongs to one connection, to the message's framing,
    /// or to the tunnel.
    private func checked(_ text: String) throws(FieldEditError) -> String {
        let name = text.lowercased()
        let bytes = Array(name.utf8)
        guard HTTPSyntax.isToken(bytes.span) else { throw .illegalName(text) }
        var probe = HTTPFields()
        let known = probe.append(name: bytes.span, value: bytes.span)
        let travels =
            switch direction {
            case .request: HopByHop.travelsToAgent(known, bytes.span)
            case .response: HopByHop.travelsToThirdParty(known, bytes.span)
            }
        guard travels, known != .contentLength, known != .secWebsocketProtocol else { throw .reservedName(name) }
        return name
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
}

extension HTTPFields {
    /// The fields but for those of this name.
    package func without(_ field: KnownField) -> HTTPFields {
        var rest = HTTPFields()
        rest.reserve(byteCount: byteCount, fieldCount: count)
        forEach { known, name, value in if known != field { rest.append(name: name, value: value) } }
        return rest
    }
}

/// Why a field cannot be removed or added.
package enum FieldEditError: Error, Sendable, Hashable {
    case illegalName(String)
    case illegalValue(of: String)
    /// The connection, the framing or the tunnel itself decides about this field.
    case reservedName(String)

    package var explanation: String {
        switch self {
        case .illegalName(let name): "\"\(name)\" is no name of a header field; one has letters, digits and hyphens"
        case .illegalValue(let name):
            "the value for \(name) cannot stand in a header field: it has a control character, or blanks at an end"
        case .reservedName(let name) where name == "host":
            "the Host field is not changed here; --host-header (\"hostHeader\") decides about it"
        case .reservedName(let name):
            "\(name) cannot be changed: it belongs to the connection, to the message's length, or to the tunnel itself"
        }
    }
}
