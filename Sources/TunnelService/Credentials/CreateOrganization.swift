internal import TunnelDomain

/// Makes an organization and its first admin key; the operator's way in.
package struct CreateOrganization: Sendable {
    /// The random bytes of an API key: 256 bits.
    package static let apiKeyRandomByteCount = 32

    package struct Created: Sendable {
        package let organization: Organization
        package let keyRecord: APIKeyRecord
        /// The only copy outside the caller's hands is this one.
        package let apiKey: String
    }

    private let ports: ServicePorts

    package init(ports: ServicePorts) { self.ports = ports }

    package func callAsFunction(label: String = "admin") async throws -> Created {
        let apiKey = SecretFormat.apiKey(randomBytes: ports.randomness.bytes(Self.apiKeyRandomByteCount))
        let organizationID = OrganizationID(randomBytes: ports.randomness.bytes(16))
        return try await ports.commit { store, now in
            let organization = Organization(id: organizationID, createdAt: now)
            let record = APIKeyRecord(
                id: UUIDValue(randomBytes: ports.randomness.bytes(16)), organizationID: organizationID, label: label,
                hash: ports.hasher.hash(ofSecret: apiKey), displayPrefix: SecretFormat.displayPrefix(of: apiKey),
                last4: SecretFormat.last4(of: apiKey), createdBy: AuditActor.system.id, createdAt: now, updatedAt: now)
            try store.insert(organization)
            try store.insert(record)
            try audit(.organizationCreate, .organization, organizationID.text, of: organizationID, in: store, at: now)
            try audit(.keyCreate, .apiKey, record.id.text, of: organizationID, in: store, at: now)
            return Change(Created(organization: organization, keyRecord: record, apiKey: apiKey))
        }
    }

    private func audit(
        _ action: AuditAction, _ type: AuditResourceType, _ id: String, of organizationID: OrganizationID,
        in store: any StoreWriting, at now: Timestamp
    ) throws {
        let trail = AuditTrail(ports: ports)
        try trail.append(
            AuditEntry(
                id: trail.newID(), occurredAt: now, action: action, organizationID: organizationID, actor: .system,
                resourceType: type, resourceID: id, ip: nil, requestID: nil),
            in: store)
    }
}
