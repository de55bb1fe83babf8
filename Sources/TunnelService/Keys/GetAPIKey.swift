package import TunnelDomain

/// Shows one key without its secret.
package struct GetAPIKey: Sendable {
    private let ports: ServicePorts

    package init(ports: ServicePorts) { self.ports = ports }

    package func callAsFunction(_ id: UUIDValue?, by call: CallContext) async throws -> APIKeySnapshot {
        try await ports.look { store, now in
            APIKeySnapshot(record: try call.apiKey(id, for: .listKeys, in: store), moment: now)
        }
    }
}

/// A key's record as it stands at a moment, for those who show it.
package struct APIKeySnapshot: Sendable, Hashable {
    package let record: APIKeyRecord
    package let moment: Timestamp

    package init(record: APIKeyRecord, moment: Timestamp) {
        self.record = record
        self.moment = moment
    }
}
