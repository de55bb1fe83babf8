package import TunnelDomain

/// What an agent shows to be let in.
package enum AgentCredential: Sendable, Hashable {
    case connectSecret(String)
    case apiKey(String)
}

/// The credential that a connection was opened with, for later requests and for revocations.
package struct CredentialIdentity: Sendable, Hashable {
    package enum Kind: Sendable, Hashable {
        case connectSecret
        /// The key's record; a revocation ends the connections that were opened with it.
        case apiKey(UUIDValue)
    }

    package let kind: Kind
    /// SHA-256 of the credential's text.
    package let hash: [UInt8]

    package init(kind: Kind, hash: [UInt8]) {
        self.kind = kind
        self.hash = hash
    }
}

/// What an agent's hello is answered.
package enum HelloDecision: Sendable, Hashable {
    case accept(Tunnel, CredentialIdentity)
    /// No such tunnel, or not with this credential: the two cannot be told apart. The answer is 401.
    case refuseCredential
    /// The credential is right, but the tunnel takes no agent. The answer is 403.
    case refuseTunnel
    /// The API key is right, and its scopes connect no agent; this one would. The answer is 403, whatever the tunnel.
    case refuseScope(missing: String)
    /// The API key is right, but may not be used from where the agent is. The answer is 403, whatever the tunnel.
    case refuseAddress

    /// The status of a refusal, or nil.
    package var refusalStatus: Int? {
        switch self {
        case .accept: nil
        case .refuseCredential: 401
        case .refuseTunnel, .refuseScope, .refuseAddress: 403
        }
    }
}

/// Decides on an agent's hello (data plane, section 2).
package struct AuthorizeHello: Sendable {
    /// What a secret is compared with when there is no tunnel, so that both cases cost the same.
    private static let noHash = [UInt8](repeating: 0, count: 32)

    private let ports: ServicePorts

    package init(ports: ServicePorts) { self.ports = ports }

    /// - Parameters:
    ///   - tunnelID: The value of `x-tunnel-id`, as it came.
    ///   - address: The agent's IP address without port; a text that is none is in no key's ranges.
    package func callAsFunction(
        tunnelID: String, credential: AgentCredential, from address: String = ""
    ) async throws -> HelloDecision {
        let id = TunnelID(tunnelID) ?? TunnelID(UUIDValue(high: 0, low: 0))
        switch credential {
        case .connectSecret(let secret): return try await authorize(id, connectSecret: secret)
        case .apiKey(let key): return try await authorize(id, apiKey: key, from: address)
        }
    }

    private func authorize(_ id: TunnelID, connectSecret: String) async throws -> HelloDecision {
        let hash = ports.hasher.hash(ofSecret: connectSecret)
        return try await ports.look { store, now in
            let tunnel = try store.tunnel(id)
            let isRight = constantTimeEquals(hash, tunnel?.connectSecretHash ?? Self.noHash)
            guard isRight, let tunnel, tunnel.connectSecretHash != nil else { return .refuseCredential }
            let principal = Principal(organizationID: tunnel.organizationID, kind: .connectSecret(tunnel.id))
            return decide(tunnel, principal, CredentialIdentity(kind: .connectSecret, hash: hash), at: now)
        }
    }

    private func authorize(_ id: TunnelID, apiKey: String, from address: String) async throws -> HelloDecision {
        let judged = try await AuthenticateAPIKey(ports: ports).judge(apiKey, from: address)
        return try await ports.look { store, now in
            let tunnel = try store.tunnel(id)
            let record: APIKeyRecord
            switch judged {
            case .accepted(let found): record = found
            case .misplaced: return .refuseAddress
            case .refused, .unknown: return .refuseCredential
            }
            // What the key can never do is said before anything depends on the tunnel.
            if let scope = Permission.missingScope(record.principal, .connectAgent) { return .refuseScope(missing: scope) }
            guard let tunnel else { return .refuseCredential }
            return decide(tunnel, record.principal, CredentialIdentity(kind: .apiKey(record.id), hash: record.hash), at: now)
        }
    }

    private func decide(
        _ tunnel: Tunnel, _ principal: Principal, _ credential: CredentialIdentity, at now: Timestamp
    ) -> HelloDecision {
        switch Permission.decide(principal, .connectAgent, on: Permission.Resource(tunnel)) {
        case .allow: tunnel.helloAllowed(at: now) ? .accept(tunnel, credential) : .refuseTunnel
        case .forbid: .refuseTunnel
        case .hide: .refuseCredential
        }
    }
}
