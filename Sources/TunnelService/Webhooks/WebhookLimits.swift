package import TunnelDomain
package import TunnelWire

/// What an operator decides about webhooks.
package struct WebhookLimits: Sendable, Hashable {
    /// Webhooks of one organization.
    package var perOrganizationMax = 50
    /// Deliveries that are under way at once.
    package var slots = DeliverySlots.Limits()
    package var retryPlan = DeliveryRetryPlan()
    /// How long an attempt may take, connecting included.
    package var attemptSecondsMax = 15
    /// How long a delivery that has ended stays in the log.
    package var keptFor: Duration = .days(7)
    /// Deliveries of one webhook in the log, pending ones included; the oldest are given up and forgotten first.
    package var keptCountMax = 10_000
    /// Whether URLs may be in clear text.
    package var allowsHTTP = false
    /// Whether the service may call loopback, private and other addresses that are not of the public internet.
    package var allowsPrivateAddresses = false

    /// How long deliveries are signed with the secret before a rotation too, so that receivers can change over.
    package static let secretOverlap: Duration = .hours(24)
    /// The random bytes of a secret: 256 bits; Standard Webhooks wants 24 to 64.
    package static let secretByteCount = 32
    /// The most characters of a description.
    package static let descriptionScalarCountMax = 1_000

    package init() {}

    package var addressPolicy: OutgoingAddressPolicy { OutgoingAddressPolicy(allowsPrivate: allowsPrivateAddresses) }
}
