package import TunnelDomain

/// Shows one key without its secret.
package struct GetAPIKey: Sendable {
    private let ports: ServicePorts

    package init(ports: ServicePorts) { self.ports = ports }

    package func callAsFunction(_ id: UUIDValue?, by call: CallContext) async throws -> APIKeySnapshot {
        try await ports.look { store, now in
            try store.snapshot(of: call.apiKey(id, for: .listKeys, in: store), at: now)
        }
    }
}

/// A key's record as it stands at a moment, for those who show it.
package struct APIKeySnapshot: Sendable, Hashable {
    package let record: APIKeyRecord
    package let moment: Timestamp
    /// The tunnels that its scopes name, as they are called now, in a fixed order.
    package let tunnels: [Tunnel]

    /// The key's scopes as they are written, words first; nil when it is not narrowed to any.
    package var scopeNames: [String]? {
        record.bounds.scopes.map { scopes in
            scopes.words.map(\.rawValue).sorted() + tunnels.map { KeyScopeName.connect($0.name).text }
        }
    }
}

extension StoreReading {
    /// The key's record with what is told of it besides.
    package func snapshot(of record: APIKeyRecord, at now: Timestamp) throws -> APIKeySnapshot {
        try snapshots(of: [record], at: now)[0]
    }

    /// The same of many keys; a tunnel that several of them name is looked up once.
    package func snapshots(of records: [APIKeyRecord], at now: Timestamp) throws -> [APIKeySnapshot] {
        var known: [TunnelID: Tunnel] = [:]
        for id in Set(records.flatMap { $0.bounds.scopes?.tunnels ?? [] }) { known[id] = try tunnel(id) }
        return records.map { record in
            let tunnels = (record.bounds.scopes?.tunnels ?? []).compactMap { known[$0] }
            return APIKeySnapshot(record: record, moment: now, tunnels: tunnels.sorted { ($0.name, $0.id) < ($1.name, $1.id) })
        }
    }
}
