package import TunnelDomain

/// Why a use case did not do what it was asked; nothing was changed.
package enum Refusal: Error, Sendable, Hashable {
    /// The credential is missing, malformed, unknown, expired or revoked: which one is not told.
    case unauthenticated
    /// The API key or the rotation secret is wrong: which one is not told.
    case wrongAgentCredentials
    /// The agent's key was revoked; both credentials are right otherwise.
    case agentRevoked
    /// The key was issued without a rotation secret.
    case noRotationSecret
    /// The caller is known and may never do this.
    case forbidden(Permission.Action)
    /// The caller is known and could do this if its credential had the scope.
    case scopeMissing(Permission.Action, scope: String)
    /// The key is right, but may not be used from this IP address.
    case addressNotAllowed(String)
    /// Whoever asks for the new credential may do less himself.
    case exceedsOwn(KeyExcess)
    /// Keys of a whole organization that make credentials themselves are made on the service's own machine alone.
    case makingScopesOverAPI([KeyScope])
    /// Keys that are not made over the API are not rotated over it.
    case adminKeyRotation
    /// The key counts no more: there is nothing to rotate.
    case keyHasEnded
    /// The key has a successor, with this id.
    case keyIsRotated(into: UUIDValue)
    /// There is no such tunnel, or the caller may not know of it.
    case noSuchTunnel
    /// There is no such app, or the caller may not know of it.
    case noSuchApp
    /// The organization has as many apps as it may.
    case tooManyApps(max: Int)
    /// Another tunnel has the name, or will have it until its grace window ends.
    case nameTaken(TunnelName)
    case nameReserved(TunnelName)
    /// There is no such identity, or the caller may not know of it.
    case noSuchIdentity
    /// An identity has the handle, or a tunnel has it as its name.
    case handleTaken(AgentHandle, by: HandleNamespace)
    case handleReserved(AgentHandle)
    /// There is no such key, or the caller may not know of it.
    case noSuchKey
    /// Admin keys are minted on the service's own machine alone.
    case adminKeyOverAPI
    /// The caller acts for the whole organization and has to say for which identity.
    case nameTheIdentity
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
    case identityField(IdentityFieldError)
    case keyField(APIKeyFieldError)
    case appField(AppFieldError)
    case rateLimited(RateLimitReport)
    /// There is no such webhook, or the caller may not know of it.
    case noSuchWebhook
    /// There is no such delivery, or the caller may not know of it.
    case noSuchDelivery
    /// The organization has as many webhooks as it may.
    case tooManyWebhooks(max: Int)
    /// The organization has as many event streams as it may: the number.
    case tooManyStreams(Int)
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
