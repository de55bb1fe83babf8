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
        encoder.dateEncodingStrategy = .custom { time, encoder in
            var container = encoder.singleValueContainer()
            try container.encode(text(time))
        }
        return encoder
    }

    /// A time in ISO 8601, UTC, with as many digits of a second as it has, up to six.
    static func text(_ time: Date) -> String {
        let microseconds = (time.timeIntervalSince1970 * 1_000_000).rounded()
        guard microseconds.magnitude < 1e18 else { return time.formatted(.iso8601) }
        let seconds = (microseconds / 1_000_000).rounded(.down)
        var fraction = String(Int64(microseconds - seconds * 1_000_000))
        let whole = Date(timeIntervalSince1970: seconds).formatted(.iso8601)
        guard fraction != "0" else { return whole }
        fraction = String(repeating: "0", count: 6 - fraction.count) + fraction
        while fraction.hasSuffix("0") { fraction.removeLast() }
        return "\(whole.dropLast()).\(fraction)Z"
    }

    /// The time that an ISO 8601 text names, or nil.
    static func time(_ text: String) -> Date? {
        let whole = Date.ISO8601FormatStyle()
        let fraction = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
        return (try? whole.parse(text)) ?? (try? fraction.parse(text))
    }
}
