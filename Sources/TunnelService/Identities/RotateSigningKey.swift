package import TunnelDomain
internal import TunnelWire

/// Gives an identity a new webhook signing key, shown once; the old one signs nothing any more.
package struct RotateSigningKey: Sendable {
    package struct Rotated: Sendable {
        /// The only copy in the open outside the caller's hands is this one.
        package let signingKey: String
        package let setAt: Timestamp
        package let answer: SigningKeyAnswer
    }

    /// The random bytes of a new key: 256 bits; Standard Webhooks wants 24 to 64.
    package static let randomByteCount = 32

    private let ports: ServicePorts

    package init(ports: ServicePorts) { self.ports = ports }

    package func decide(
        _ subject: SigningKeySubject, by call: CallContext, in store: any StoreWriting, at now: Timestamp
    ) throws -> Change<Rotated> {
        var identity = try call.identity(subject, for: .rotateSigningKey, in: store)
        // One text serves both kinds of receivers: `WebhookSecretForm` reads it as `whsec` and as `inkbox`.
        let text = "whsec_" + Base64.encode(ports.randomness.bytes(Self.randomByteCount))
        let sealed = try ports.sealer.seal(Array(text.utf8), context: identity.signingKeyContext)
        let answer: SigningKeyAnswer
        do throws(IdentityChangeError) {
            answer = try identity.setSigningKey(sealed: sealed, at: now)
        } catch {
            throw Refusal(error)
        }
        let tunnel = try store.snapshot(of: identity, at: now).tunnel

        try store.update(identity)
        try AuditTrail(ports: ports).append(.signingKeyRotate, .identity, identity.id.text, by: call, in: store, at: now)
        let rotated = Rotated(signingKey: text, setAt: identity.signingKey?.setAt ?? now, answer: answer)
        return Change(rotated, events: [EventDraft(.identityUpdated, identity, tunnel)])
    }
}

/// Whose signing key is meant.
package enum SigningKeySubject: Sendable, Hashable {
    /// The identity with this handle; nil for a text that is none.
    case handle(AgentHandle?)
    /// The caller's own, in the words of older clients.
    case caller
}

extension CallContext {
    fileprivate func identity(
        _ subject: SigningKeySubject, for action: Permission.Action, in store: any StoreReading
    ) throws -> Identity {
        switch subject {
        case .handle(let handle): return try identity(handle, for: action, in: store)
        case .caller:
            try require(action)
            guard case .identityKey(let id) = principal.kind else { throw Refusal.nameTheIdentity }
            return try identity(id, for: action, in: store)
        }
    }
}

extension Identity {
    /// Binds the sealed key to its identity, so that rows cannot be swapped.
    fileprivate var signingKeyContext: [UInt8] { Array("signing-key\u{0}\(id.text)".utf8) }
}

// MARK: - Using it

/// Whether an identity has a signing key.
package struct GetSigningKeyStatus: Sendable {
    private let ports: ServicePorts

    package init(ports: ServicePorts) { self.ports = ports }

    /// When the key was made or last rotated, or nil when there is none. An organization's admin who names no identity hears
    /// of the newest key of any.
    package func callAsFunction(_ subject: SigningKeySubject, by call: CallContext) async throws -> Timestamp? {
        try await ports.look { store, _ in
            try call.require(.readSigningKey)
            if subject == .caller, call.principal.kind == .adminKey {
                return try store.identities(of: call.organizationID, after: nil, limit: nil).compactMap(\.signingKey?.setAt)
                    .max()
            }
            return try call.identity(subject, for: .readSigningKey, in: store).signingKey?.setAt
        }
    }
}

/// Opens signing keys for whoever signs webhooks.
package struct SigningKeys: Sendable {
    private let ports: ServicePorts

    package init(ports: ServicePorts) { self.ports = ports }

    /// The key of a living identity, with its prefix; nil when it has none, or when the service's sealing key is not the one
    /// that it was sealed with.
    package func signingKey(of id: IdentityID, in store: any StoreReading) throws(StoreError) -> String? {
        guard let identity = try store.identity(id), let sealed = identity.signingKey?.sealed,
            let opened = ports.sealer.open(sealed, context: identity.signingKeyContext)
        else { return nil }
        return String(decoding: opened, as: UTF8.self)
    }
}
