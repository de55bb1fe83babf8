package import TunnelDomain

/// Changes a tunnel's description and metadata.
package struct UpdateTunnel: Sendable {
    package struct Request: Sendable, Hashable {
        package let description: FieldChange<String>
        /// A JSON object as text.
        package let metadataJSON: FieldChange<String>

        package init(description: FieldChange<String> = .keep, metadataJSON: FieldChange<String> = .keep) {
            self.description = description
            self.metadataJSON = metadataJSON
        }
    }

    private let ports: ServicePorts

    package init(ports: ServicePorts) { self.ports = ports }

    package func decide(
        _ id: TunnelID?, _ request: Request, by call: CallContext, in store: any StoreWriting, at now: Timestamp
    ) throws -> Change<TunnelSnapshot> {
        var tunnel = try call.tunnel(id, for: .updateTunnel, in: store, at: now)
        switch try update(&tunnel, request, at: now) {
        case .unchanged:
            return Change(ports.snapshot(of: tunnel, at: now))
        case .changed:
            try store.update(tunnel)
            try AuditTrail(ports: ports).append(.tunnelUpdate, of: tunnel, by: call, in: store, at: now)
            return Change(ports.snapshot(of: tunnel, at: now), tunnel, .updated)
        }
    }

    private func update(_ tunnel: inout Tunnel, _ request: Request, at now: Timestamp) throws(Refusal) -> TunnelUpdateAnswer {
        do throws(TunnelUpdateError) {
            return try tunnel.update(description: request.description, metadataJSON: request.metadataJSON, at: now)
        } catch {
            switch error {
            case .deleted: throw .noSuchTunnel
            case .deletePending: throw .deletePending
            case .field(let field): throw .field(field)
            }
        }
    }
}
