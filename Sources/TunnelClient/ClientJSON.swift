public import FoundationEssentials

/// JSON as the REST API speaks it: times in ISO 8601, UTC, with or without a fraction (control plane §2).
public enum ClientJSON {
    /// A decoder for the models of this module.
    public static func decoder() -> JSONDecoder {
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .custom { decoder in
            let text = try decoder.singleValueContainer().decode(String.self)
            guard let time = time(text) else {
                throw DecodingError.dataCorrupted(
                    .init(codingPath: decoder.codingPath, debugDescription: "\"\(text)\" is not an ISO 8601 time in UTC"))
            }
            return time
        }
        return decoder
    }

    /// An encoder for the models of this module, with members in a steady order.
    public static func encoder(pretty: Bool = false) -> JSONEncoder {
        let encoder = JSONEncoder()
        encoder.outputFormatting =
            pretty ? [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes] : [.sortedKeys, .withoutEscapingSlashes]
        encoder.dateEncodingStrategy = .iso8601
        return encoder
    }

    /// The time that an ISO 8601 text names, or nil.
    static func time(_ text: String) -> Date? {
        let whole = Date.ISO8601FormatStyle()
        let fraction = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
        return (try? whole.parse(text)) ?? (try? fraction.parse(text))
    }
}
