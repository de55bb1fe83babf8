/// The id of a call, as its caller wrote it (JSON-RPC 2.0 section 4).
///
/// Numbers keep their digits: `1`, `1.0` and `12345678901234567890` come back as they came.
package enum JSONRPCID: Sendable, Hashable {
    case string(String)
    case number(String)
    /// Also stands where the id of a broken message could not be read (section 5).
    case null
}

extension JSONRPCID {
    /// The id that a JSON value is; nil for what cannot be one.
    package init?(_ value: JSONValue) {
        switch value {
        case .string(let text): self = .string(text)
        case .number(let digits): self = .number(digits)
        case .null: self = .null
        case .object, .array, .bool: return nil
        }
    }

    package var json: JSONValue {
        switch self {
        case .string(let text): .string(text)
        case .number(let digits): .number(digits)
        case .null: .null
        }
    }
}
