package import HTTPTransport

/// The limits of TLS passthrough (data plane, section 7).
package struct PassthroughSettings: Sendable {
    /// Seconds from a third party's arrival to its agent's bind; then it gets the alert `internal_error`.
    package var bindSecondsMax = 10
    package var pump = TCPPumpSettings()

    package init() {}
}
