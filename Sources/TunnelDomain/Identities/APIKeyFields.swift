/// The bounds of what people say about an API key (the published client's documentation of `POST /api-keys`).
public enum APIKeyFields {
    /// The most Unicode scalars of a label; at least one is needed.
    public static let labelScalarCountMax = 255
    /// The most Unicode scalars of a description.
    public static let descriptionScalarCountMax = 1000

    /// Refuses an empty label and one of more than ``labelScalarCountMax`` Unicode scalars.
    public static func check(label: String) throws(APIKeyFieldError) {
        let count = label.unicodeScalars.count
        guard count > 0 else { throw .labelEmpty }
        guard count <= labelScalarCountMax else { throw .labelTooLong(scalarCount: count) }
    }

    /// Refuses a description of more than ``descriptionScalarCountMax`` Unicode scalars.
    public static func check(description: String?) throws(APIKeyFieldError) {
        let count = description?.unicodeScalars.count ?? 0
        guard count <= descriptionScalarCountMax else { throw .descriptionTooLong(scalarCount: count) }
    }

    /// Refuses an expiry that is not in the future.
    public static func check(expiresAt: Timestamp?, at now: Timestamp) throws(APIKeyFieldError) {
        guard let expiresAt, expiresAt <= now else { return }
        throw .expiryInThePast
    }
}

/// A field's value that no API key may have; the API answers 422.
public enum APIKeyFieldError: Error, Hashable, Sendable {
    case labelEmpty
    /// More than ``APIKeyFields/labelScalarCountMax`` Unicode scalars.
    case labelTooLong(scalarCount: Int)
    /// More than ``APIKeyFields/descriptionScalarCountMax`` Unicode scalars.
    case descriptionTooLong(scalarCount: Int)
    /// The key would count for no moment.
    case expiryInThePast

    /// What is wrong and what would be right, in one sentence for people.
    public var explanation: String {
        switch self {
        case .labelEmpty: "The label is empty; send 1 to \(APIKeyFields.labelScalarCountMax) characters."
        case .labelTooLong(let count):
            "The label has \(count) characters; at most \(APIKeyFields.labelScalarCountMax) are allowed."
        case .descriptionTooLong(let count):
            "The description has \(count) characters; at most \(APIKeyFields.descriptionScalarCountMax) are allowed."
        case .expiryInThePast: "The expiry is not in the future; send a later moment, or leave it out."
        }
    }
}
