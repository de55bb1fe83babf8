internal import Glibc
public import TunnelDomain

/// What an agent needs to end TLS for a passthrough tunnel: a key, a certificate, and a way to another certificate.
///
/// While the agent runs it has the certificate renewed by the domain's `RenewalPlan`. A new one is shown to new connections;
/// open ones go on. One that cannot be used is never taken: the old one stays until there is a better one.
public struct AgentTLS: Sendable {
    /// The private key of the public host, PEM, not encrypted.
    public var keyPEM: String
    /// The certificate from the last time, leaf first, with its chain; nil when there is none.
    public var chainPEM: String?
    /// Has a request (PKCS #10 in PEM) signed: the new certificate with its chain, leaf first. An error means that it is tried
    /// again later; its description is told.
    public var sign: @Sendable (_ requestPEM: String) async throws -> String
    /// The time of day.
    public var now: @Sendable () -> Timestamp

    /// A key with its certificate; without a certificate the agent has one signed before it connects.
    ///
    /// - Parameter now: what counts as the time of day; the system's clock unless given.
    public init(
        keyPEM: String, chainPEM: String? = nil, now: @escaping @Sendable () -> Timestamp = AgentTLS.systemTime,
        sign: @escaping @Sendable (_ requestPEM: String) async throws -> String
    ) {
        self.keyPEM = keyPEM
        self.chainPEM = chainPEM
        self.now = now
        self.sign = sign
    }

    /// The system's clock.
    @Sendable public static func systemTime() -> Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(microsecondsSinceEpoch: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000)
    }
}
