internal import TunnelDomain

/// Makes an organization and its first admin key; the operator's way in.
package struct CreateOrganization: Sendable {
    package struct Created: Sendable {
        package let organization: Organization
        package let keyRecord: APIKeyRecord
        /// The only copy outside the caller's hands is this one.
        package let apiKey: String
    }

    private let ports: ServicePorts

    package init(ports: ServicePorts) { self.ports = ports }

    package func callAsFunction(label: String = "admin") async throws -> Created {
        let organizationID = OrganizationID(randomBytes: ports.randomness.bytes(16))
        return try await ports.commit { store, now in
            let organization = Organization(id: organizationID, createdAt: now)
            let key = APIKeyMaker(ports: ports).makeAdmin(of: organizationID, label: label, at: now)
            try store.insert(organization)
            try store.insert(key.record)
            try audit(.organizationCreate, .organization, organizationID.text, of: organizationID, in: store, at: now)
            try audit(.keyCreate, .apiKey, key.record.idText, of: organizationID, in: store, at: now)
            return Change(Created(organization: organization, keyRecord: key.record, apiKey: key.apiKey))
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
