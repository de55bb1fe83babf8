internal import TunnelDomain

/// Whether a handle may be had: handles and tunnel names are one namespace over all organizations.
struct HandleClaim {
    let ports: ServicePorts
    let rules: ServiceRules

    /// Throws when the handle is reserved or taken. The tunnel that it gives back, if any, has lost the name to time only: it
    /// has to be finalized before the name is written anew.
    func check(_ handle: AgentHandle, in store: any StoreReading, at now: Timestamp) throws -> Tunnel? {
        guard !rules.reservedNames.contains(handle.name) else { throw Refusal.handleReserved(handle) }
        guard try store.identity(named: handle) == nil else { throw Refusal.handleTaken(handle, by: .identities) }
        guard let holder = try store.tunnel(named: handle.name) else { return nil }
        guard !holder.holdsName(at: now) else {
            throw Refusal.handleTaken(handle, by: holder.identityID == nil ? .tunnels : .identities)
        }
        return holder
    }
}

/// Which side of the common namespace holds a handle, in the words that clients map to their own errors.
package enum HandleNamespace: String, Sendable, Hashable, CaseIterable { case identities, tunnels }
