internal import TunnelDomain

/// Shows the caller's tunnels without deleted ones, newest first.
package struct ListTunnels: Sendable {
    /// Tunnels on a page when none was asked for by number.
    package static let pageSizeDefault = 100
    /// The largest page that may be asked for.
    package static let pageSizeMax = 200

    package struct Page: Sendable {
        package let tunnels: [TunnelSnapshot]
        /// Where the next page begins; nil when there is nothing behind this one.
        package let next: TunnelCursor?
    }

    private let ports: ServicePorts

    package init(ports: ServicePorts) { self.ports = ports }

    /// Everything that is there.
    package func all(by call: CallContext) async throws -> [TunnelSnapshot] {
        try await ports.look { store, now in
            try call.require(.listTunnels)
            return try store.tunnels(of: call.organizationID, after: nil, limit: nil)
                .filter { shows($0, to: call, at: now) }
                .map { ports.snapshot(of: $0, at: now) }
        }
    }

    /// Up to `limit` tunnels behind the cursor.
    package func page(after cursor: TunnelCursor?, limit: Int, by call: CallContext) async throws -> Page {
        precondition((1...Self.pageSizeMax).contains(limit), "the caller has checked the page size")
        return try await ports.look { store, now in
            try call.require(.listTunnels)
            let found = try visible(after: cursor, count: limit + 1, to: call, in: store, at: now)
            let page = found.prefix(limit)
            return Page(
                tunnels: page.map { ports.snapshot(of: $0, at: now) },
                next: found.count > limit ? page.last.map(TunnelCursor.init(behind:)) : nil)
        }
    }

    /// Reads on until there are enough: the store also returns tunnels that time has deleted.
    private func visible(
        after cursor: TunnelCursor?, count: Int, to call: CallContext, in store: any StoreReading, at now: Timestamp
    ) throws -> [Tunnel] {
        var found: [Tunnel] = []
        var cursor = cursor
        while found.count < count {
            let batch = try store.tunnels(of: call.organizationID, after: cursor, limit: count)
            found += batch.filter { shows($0, to: call, at: now) }
            guard batch.count == count, let last = batch.last else { break }
            cursor = TunnelCursor(behind: last)
        }
        return Array(found.prefix(count))
    }

    private func shows(_ tunnel: Tunnel, to call: CallContext, at now: Timestamp) -> Bool {
        tunnel.status(at: now) != .deleted
            && Permission.decide(call.principal, .listTunnels, on: Permission.Resource(tunnel)) == .allow
    }
}
