package import TunnelDomain

/// What an operator decides about a service: its zone, the names that it keeps back, and how often is too often.
package struct ServiceRules: Sendable {
    package let zone: Zone
    package var reservedNames: ReservedNames
    package var tunnelCreates: RateLimit
    package var secretRotations: RateLimit
    package var csrSignings: RateLimit

    package init(
        zone: Zone, reservedNames: ReservedNames = .standard, tunnelCreates: RateLimit = .tunnelCreates,
        secretRotations: RateLimit = .secretRotations, csrSignings: RateLimit = .csrSignings
    ) {
        self.zone = zone
        self.reservedNames = reservedNames
        self.tunnelCreates = tunnelCreates
        self.secretRotations = secretRotations
        self.csrSignings = csrSignings
    }

    package func limit(of action: CountedAction) -> RateLimit {
        switch action {
        case .tunnelCreate: tunnelCreates
        case .secretRotate: secretRotations
        case .certSign: csrSignings
        }
    }

    /// The longest window of any limit: successes older than this count nowhere.
    var longestWindow: Duration { CountedAction.allCases.map { limit(of: $0).window }.max() ?? .zero }
}
