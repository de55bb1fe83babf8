package import TunnelDomain

/// Knows which tunnels have live agents; the edge answers from memory.
package protocol ConnectionPresence: Sendable {
    /// How many agents are connected: more than one when they share the tunnel, or while one follows another.
    func connectedAgentCount(of id: TunnelID) -> Int
}
