/// The bounds of what people say about an API key (the published client's documentation of `POST /api-keys`).
public enum APIKeyFields {
    /// The most Unicode scalars of a label; at least one is needed.
    public static let labelScalarCountMax = 255
    /// The most Unicode scalars of a description.
    public static let descriptionScalarCountMax = 1000
    /// The most scopes of a key, unless the operator says otherwise.
    public static let scopeCountMaxDefault = 32
    /// The most ranges of addresses of a key, unless the operator says otherwise.
    public static let rangeCountMaxDefault = 32

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

    /// Refuses an empty list, and one of more scopes than a key may have. No list at all is another thing: it narrows nothing.
    public static func check(scopeCount count: Int, max: Int) throws(APIKeyFieldError) {
        guard count > 0 else { throw .scopesEmpty }
        guard count <= max else { throw .tooManyScopes(count: count, max: max) }
    }

    /// The same for ranges of addresses: an empty list could mean everywhere or nowhere.
    public static func check(rangeCount count: Int, max: Int) throws(APIKeyFieldError) {
        guard count > 0 else { throw .rangesEmpty }
        guard count <= max else { throw .tooManyRanges(count: count, max: max) }
    }

    /// Refuses scopes that no identity's key can use.
    public static func check(identityScopes words: Set<KeyScope>) throws(APIKeyFieldError) {
        let useless = words.subtracting(Permission.identityKeyScopes)
        guard useless.isEmpty else { throw .scopesBeyondIdentity(KeyScope.allCases.filter { useless.contains($0) }) }
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
    case scopesEmpty
    /// More than the operator's limit.
    case tooManyScopes(count: Int, max: Int)
    /// An identity may not do this itself.
    case scopesBeyondIdentity([KeyScope])
    /// `tunnel:{name}:connect` names no tunnel of the organization.
    case noTunnelToConnect(TunnelName)
    /// It names a tunnel, but not that of the key's identity.
    case notTheIdentitysTunnel(TunnelName)
    case rangesEmpty
    /// More than the operator's limit.
    case tooManyRanges(count: Int, max: Int)

    /// What is wrong and what would be right, in one sentence for people.
    public var explanation: String {
        switch self {
        case .labelEmpty: "The label is empty; send 1 to \(APIKeyFields.labelScalarCountMax) characters."
        case .labelTooLong(let count):
            "The label has \(count) characters; at most \(APIKeyFields.labelScalarCountMax) are allowed."
        case .descriptionTooLong(let count):
            "The description has \(count) characters; at most \(APIKeyFields.descriptionScalarCountMax) are allowed."
        case .scopesEmpty:
            "The list of scopes is empty; name at least one, or leave it out for a key that may all that its owner may."
        case .tooManyScopes(let count, let max): "There are \(count) scopes; at most \(max) are allowed."
        case .scopesBeyondIdentity(let scopes):
            "\(scopes.map(\.rawValue).joined(separator: ", ")): no identity's key may do this. One may have "
                + "\(Permission.identityKeyScopes.map(\.rawValue).joined(separator: ", ")) and tunnel:{handle}:connect."
        case .noTunnelToConnect(let name):
            "There is no tunnel \(name) among yours to connect; list them with GET /api/v1/tunnels."
        case .notTheIdentitysTunnel(let name):
            "The tunnel \(name) is not the identity's; name its own, or make the key without scoped_identity_id."
        case .rangesEmpty:
            "The list of ranges is empty; name at least one, or leave it out for a key that may be used from everywhere."
        case .tooManyRanges(let count, let max): "There are \(count) ranges; at most \(max) are allowed."
        case .expiryInThePast: "The expiry is not in the future; send a later moment, or leave it out."
        }
    }
}
