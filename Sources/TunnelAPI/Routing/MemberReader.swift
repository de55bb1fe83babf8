internal import TunnelDomain
internal import TunnelWire

/// Reads members of a body, and collects everything that is wrong with them before it refuses.
struct MemberReader {
    let body: JSONValue
    var errors: [FieldError] = []

    init(_ body: JSONValue) { self.body = body }

    mutating func refuse(_ name: String, _ detail: String) { errors.append(FieldError("/" + name, detail)) }

    /// A string that must be there.
    mutating func string(_ name: String) -> String? {
        switch body[name] {
        case .string(let text): return text
        case nil: refuse(name, "It is missing.")
        case let other?: refuse(name, "It is \(other.kindDescription); send a string.")
        }
        return nil
    }

    /// A string, null, or nothing.
    mutating func change(_ name: String) -> FieldChange<String> {
        switch body[name] {
        case nil: return .keep
        case .null: return .clear
        case .string(let text): return .set(text)
        case let other?: refuse(name, "It is \(other.kindDescription); send a string or null.")
        }
        return .keep
    }

    func check() throws(Problem) {
        guard errors.isEmpty else { throw Problem(invalid: errors) }
    }
}
