package import TunnelDomain

/// What an operator decides about a service: its zone, the names that it keeps back, and how often is too often.
package struct ServiceRules: Sendable {
    package let zone: Zone
    package var reservedNames: ReservedNames
    package var tunnelCreates: RateLimit
    package var secretRotations: RateLimit
    package var csrSignings: RateLimit
    /// Rotations of API keys by their ids.
    package var apiKeyRotations = RateLimit.apiKeyRotations
    /// The most scopes, and ranges of addresses, that a key may be narrowed to.
    package var keys = KeyLimits()
    /// Attempts, not successes, by address.
    package var keyRotationAttempts: RateLimit
    /// The most apps of an organization.
    package var appsMax: Int
    package static let appsMaxDefault = 100
    package var events = EventLimits()
    package var requests = RequestLimits()
    package var webhooks = WebhookLimits()

    package init(
        zone: Zone, reservedNames: ReservedNames = .standard, tunnelCreates: RateLimit = .tunnelCreates,
        secretRotations: RateLimit = .secretRotations, csrSignings: RateLimit = .csrSignings,
        keyRotationAttempts: RateLimit = .keyRotationAttempts,
        appsMax: Int = appsMaxDefault
    ) {
        self.zone = zone
        self.reservedNames = reservedNames
        self.tunnelCreates = tunnelCreates
        self.secretRotations = secretRotations
        self.csrSignings = csrSignings
        self.keyRotationAttempts = keyRotationAttempts
        self.appsMax = appsMax
    }

    package func limit(of action: CountedAction) -> RateLimit {
        switch action {
        case .tunnelCreate: tunnelCreates
        case .secretRotate: secretRotations
        case .certSign: csrSignings
        case .keyRotate: apiKeyRotations
        }
    }

    /// The longest window of any limit: successes older than this count nowhere.
    var longestWindow: Duration { CountedAction.allCases.map { limit(of: $0).window }.max() ?? .zero }
}
