package import TunnelDomain

/// A final answer that is kept so that a repeated request gets it again.
package struct ReplayRecord: Sendable, Hashable {
    package let organizationID: OrganizationID
    /// The client's `Idempotency-Key`.
    package let key: String
    /// SHA-256 over method, path and body of the request.
    package let fingerprint: [UInt8]
    package let status: Int
    /// The body, encrypted: it may hold a secret that is shown once.
    package let sealedBody: [UInt8]
    package let createdAt: Timestamp

    package init(
        organizationID: OrganizationID, key: String, fingerprint: [UInt8], status: Int, sealedBody: [UInt8],
        createdAt: Timestamp
    ) {
        self.organizationID = organizationID
        self.key = key
        self.fingerprint = fingerprint
        self.status = status
        self.sealedBody = sealedBody
        self.createdAt = createdAt
    }
}
