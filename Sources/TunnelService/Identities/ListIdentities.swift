internal import TunnelDomain

/// Shows the caller's identities, newest first.
package struct ListIdentities: Sendable {
    private let ports: ServicePorts

    package init(ports: ServicePorts) { self.ports = ports }

    package func callAsFunction(_ range: ListRange, by call: CallContext) async throws -> Page<IdentitySnapshot> {
        try await ports.look { store, now in
            try call.require(.listIdentities)
            let page = try range.gather(
                cursor: ListCursor.init(behind:),
                shows: { Permission.decide(call.principal, .listIdentities, on: Permission.Resource($0)) == .allow },
                read: { try store.identities(of: call.organizationID, after: $0, limit: $1) })
            return try page.map { try store.snapshot(of: $0, at: now) }
        }
    }
}
