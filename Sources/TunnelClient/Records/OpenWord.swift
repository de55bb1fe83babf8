/// A word of a vocabulary that grows: known ones have names, and one that this client does not know is kept as it is.
public protocol OpenWord: RawRepresentable, Sendable, Hashable, Codable, CustomStringConvertible where RawValue == String {
    init(rawValue: String)
}

extension OpenWord {
    /// The word on the wire.
    public var description: String { rawValue }

    /// Reads the word on the wire.
    public init(from decoder: any Decoder) throws {
        self.init(rawValue: try decoder.singleValueContainer().decode(String.self))
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(rawValue)
    }
}
