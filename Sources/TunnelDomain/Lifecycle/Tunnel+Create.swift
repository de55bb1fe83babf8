extension Tunnel {
    /// Makes a new tunnel: an edge tunnel is active at once, a passthrough tunnel waits for its certificate.
    ///
    /// - Parameters:
    ///   - identityID: The identity that owns the tunnel, or nil for one that stands alone.
    ///   - connectSecretHash: The hash of a stand-alone tunnel's connect secret; nil for an identity's tunnel, whose agent
    ///     uses the identity's API key.
    /// - Precondition: there is either an identity or a connect secret.
    public static func create(
        id: TunnelID, organizationID: OrganizationID, identityID: IdentityID? = nil, name: TunnelName,
        description: String? = nil, metadataJSON: String = emptyMetadataJSON, tlsMode: TLSMode = .edge,
        connectSecretHash: [UInt8]?, at now: Timestamp
    ) throws(TunnelFieldError) -> Tunnel {
        precondition((identityID == nil) != (connectSecretHash == nil), "a tunnel has either an identity or a connect secret")
        try check(description: description)
        try check(metadataJSON: metadataJSON)
        return Tunnel(
            id: id, organizationID: organizationID, identityID: identityID, name: name, description: description,
            metadataJSON: metadataJSON, tlsMode: tlsMode, state: tlsMode == .edge ? .active : .awaitingCert,
            connectSecretHash: connectSecretHash, createdAt: now, updatedAt: now)
    }

    /// Refuses a description of more than ``descriptionScalarCountMax`` Unicode scalars.
    public static func check(description: String?) throws(TunnelFieldError) {
        let count = description?.unicodeScalars.count ?? 0
        guard count <= descriptionScalarCountMax else { throw .descriptionTooLong(scalarCount: count) }
    }

    /// Refuses metadata of more than ``metadataByteCountMax`` bytes.
    public static func check(metadataJSON: String) throws(TunnelFieldError) {
        let count = metadataJSON.utf8.count
        guard count <= metadataByteCountMax else { throw .metadataTooLong(byteCount: count) }
    }
}

/// A field's value that no tunnel may have; the API answers 422.
public enum TunnelFieldError: Error, Hashable, Sendable {
    /// More than ``Tunnel/descriptionScalarCountMax`` Unicode scalars.
    case descriptionTooLong(scalarCount: Int)
    /// More than ``Tunnel/metadataByteCountMax`` bytes of JSON.
    case metadataTooLong(byteCount: Int)

    /// What is wrong and what would be right, in one sentence for people.
    public var explanation: String {
        switch self {
        case .descriptionTooLong(let count):
            "The description has \(count) characters; at most \(Tunnel.descriptionScalarCountMax) are allowed."
        case .metadataTooLong(let count):
            "The metadata has \(count) bytes as JSON; at most \(Tunnel.metadataByteCountMax) are allowed."
        }
    }
}
