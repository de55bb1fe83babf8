package import TunnelDomain

/// Why a use case did not do what it was asked; nothing was changed.
package enum Refusal: Error, Sendable, Hashable {
    /// The credential is missing, malformed, unknown, expired or revoked: which one is not told.
    case unauthenticated
    /// The caller is known and may never do this.
    case forbidden(Permission.Action)
    /// There is no such tunnel, or the caller may not know of it.
    case noSuchTunnel
    /// Another tunnel has the name, or will have it until its grace window ends.
    case nameTaken(TunnelName)
    case nameReserved(TunnelName)
    /// The tunnel's status does not allow the action; the status is what it is at present.
    case wrongStatus(TunnelStatus, Permission.Action)
    /// The tunnel goes and comes with its identity, which has to be asked instead.
    case belongsToIdentity(Permission.Action)
    /// Only passthrough tunnels get certificates.
    case edgeTunnelNeedsNoCertificate
    /// A value is out of its bounds.
    case field(TunnelFieldError)
    case rateLimited(RateLimitReport)
    /// The certificate request is at fault; the text says how.
    case unacceptableCSR(String)
    /// The service has no issuer.
    case issuanceNotConfigured
    /// The issuer failed; the text says how.
    case issuerUnavailable(String)
    /// The idempotency key was used for another request.
    case keyUsedForAnotherRequest
    /// The first request with this idempotency key still runs.
    case keyInFlight
    /// The kept answer cannot be decrypted: the service's sealing key is not the one that it was sealed with.
    case keptAnswerUnreadable
}
