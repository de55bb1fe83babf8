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
    /// Only a tunnel in its grace window can be restored, and this one is not.
    case nothingToRestore(TunnelStatus)
    /// Only a tunnel in its grace window can be deleted for good, and this one is not.
    case nothingToForceDelete(TunnelStatus)
    /// The tunnel is in its grace window and cannot be changed.
    case deletePending
    /// The tunnel is deleted with its identity, not by itself.
    case deletedWithIdentity
    /// An identity's tunnel has no connect secret.
    case identityHasNoConnectSecret
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
