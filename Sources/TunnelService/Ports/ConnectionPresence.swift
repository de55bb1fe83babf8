package import TunnelDomain

/// Knows which tunnels have a live agent; the edge answers from memory.
package protocol ConnectionPresence: Sendable {
    func isConnected(_ id: TunnelID) -> Bool
}
