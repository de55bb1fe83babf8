package import TunnelDomain

/// How many requests the API takes from one address and with one credential.
package struct RequestLimits: Sendable {
    package var apiRequests = RateLimit.apiRequests
    package var authFailures = RateLimit.authFailures
    /// Addresses, and credentials, that are told apart at a time; twice as many are remembered.
    package var callersMax = 65_536

    package init() {}
}
