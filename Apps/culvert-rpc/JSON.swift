internal import FoundationEssentials
internal import TunnelClient
internal import TunnelDomain
internal import TunnelWire

/// Every JSON value in this program; `TunnelClient` has a type of the same name for metadata.
typealias JSON = TunnelWire.JSONValue

extension JSON {
    /// A value that Swift can encode, as the REST API writes it.
    static func document(_ value: some Encodable) throws -> JSON {
        try JSON(parsing: Array(try ClientJSON.encoder().encode(value)))
    }

    static func strings(_ texts: [String]) -> JSON { .array(texts.map(JSON.string)) }

    static func time(_ moment: Timestamp) -> JSON { .string(moment.iso8601) }

    static func seconds(_ duration: Duration) -> JSON {
        let (seconds, attoseconds) = duration.components
        guard attoseconds != 0 else { return .integer(seconds) }
        return .number(String(Double(seconds) + Double(attoseconds) / 1e18))
    }

    var text: String { String(decoding: serialized, as: UTF8.self) }

    var intValue: Int? {
        guard case .number(let digits) = self else { return nil }
        return Int(digits) ?? Double(digits).flatMap { Int(exactly: $0) }
    }

    var doubleValue: Double? {
        guard case .number(let digits) = self else { return nil }
        return Double(digits)
    }

    var boolValue: Bool? { if case .bool(let isTrue) = self { isTrue } else { nil } }

    var arrayValue: [JSON]? { if case .array(let elements) = self { elements } else { nil } }

    var objectMembers: [JSONMember]? { if case .object(let members) = self { members } else { nil } }

    /// This object with the members that are not nil; a member of the same name is replaced in its place.
    func adding(_ pairs: KeyValuePairs<String, JSON?>) -> JSON {
        guard case .object(var members) = self else { return self }
        for case (let name, let value?) in pairs {
            if let index = members.firstIndex(where: { $0.name == name }) {
                members[index].value = value
            } else {
                members.append(JSONMember(name, value))
            }
        }
        return .object(members)
    }

    func removing(_ names: Set<String>) -> JSON {
        guard case .object(let members) = self else { return self }
        return .object(members.filter { !names.contains($0.name) })
    }

    /// An object of the members that are not nil.
    static func some(_ pairs: KeyValuePairs<String, JSON?>) -> JSON { JSON.object([]).adding(pairs) }
}
