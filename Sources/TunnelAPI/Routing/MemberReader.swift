internal import TunnelDomain
internal import TunnelWire

/// Reads members of a body, and collects everything that is wrong with them before it refuses.
struct MemberReader {
    /// So many mistakes are told at once: a body of a mebibyte has room for hundreds of thousands.
    static let errorCountMax = 32

    let body: JSONValue
    var errors: [FieldError] = []

    init(_ body: JSONValue) { self.body = body }

    mutating func refuse(_ name: String, _ detail: String) {
        guard errors.count < Self.errorCountMax else { return }
        errors.append(FieldError("/" + name, detail))
    }

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

    /// An array of strings that each become a value, null, or nothing. Whether it may be empty is for others to say.
    ///
    /// - Parameter read: Makes a value of a string, or says what is wrong with it.
    mutating func list<Value>(_ name: String, of what: String, _ read: (String) -> ListElement<Value>) -> [Value]? {
        switch body[name] {
        case nil, .null: return nil
        case .array(let elements):
            return elements.enumerated().compactMap { index, element in
                guard let text = element.stringValue else {
                    refuse("\(name)/\(index)", "It is \(element.kindDescription); send a string.")
                    return nil
                }
                switch read(text) {
                case .value(let value): return value
                case .flaw(let explanation): refuse("\(name)/\(index)", explanation)
                }
                return nil
            }
        case let other?: refuse(name, "It is \(other.kindDescription); send an array of \(what), or null.")
        }
        return nil
    }

    /// A whole number within bounds, null, or nothing.
    mutating func integer(_ name: String, in range: ClosedRange<Int>, _ unit: String) -> Int? {
        switch body[name] {
        case nil, .null: return nil
        case .number(let digits):
            if let number = Int(digits), range.contains(number) { return number }
            refuse(name, "It is \(digits); send a whole number of \(unit) from \(range.lowerBound) to \(range.upperBound).")
        case let other?: refuse(name, "It is \(other.kindDescription); send a whole number of \(unit).")
        }
        return nil
    }

    func check() throws(Problem) {
        guard errors.isEmpty else { throw Problem(invalid: errors) }
    }
}

/// What a string of a list is.
enum ListElement<Value> {
    case value(Value)
    case flaw(String)
}
