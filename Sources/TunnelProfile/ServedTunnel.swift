package import TunnelAgent
package import TunnelClient

/// A tunnel that an agent is to serve, and what the agent shows for it.
package struct ServedTunnel: Sendable {
    package var tunnel: TunnelRecord
    package var credential: AgentCredential

    package init(tunnel: TunnelRecord, credential: AgentCredential) {
        self.tunnel = tunnel
        self.credential = credential
    }
}

/// Where tunnels to serve come from: those that there are, with the secrets that this machine keeps, and new ones, whose
/// secrets it keeps from then on.
package struct TunnelSource: Sendable {
    /// New names are tried this often when the one made up is taken.
    package static let madeUpNamesMax = 5

    /// Why a tunnel cannot be served from here.
    package enum Flaw: Error {
        /// Another side ends the TLS of its third parties than this agent would.
        case otherMode(TunnelRecord)
        case beingDeleted(TunnelRecord)
        /// Its status does not allow it.
        case notServable(TunnelRecord)
        /// It was made elsewhere: its connect secret is not on this machine.
        case missingSecret(TunnelRecord)
        case settings(ProfileFlaw)
        case service(Act, ClientError)
    }

    /// What was being done when the service, or the key for it, failed.
    package enum Act: Sendable, Hashable {
        case create(name: String)
        case readKey
    }

    private let client: CulvertClient
    private let apiKey: APIKeySource
    private let memory: TunnelMemory
    private let mode: TunnelRecord.TLSMode

    /// - Parameter mode: who ends the TLS of third parties: the server, or the agent.
    package init(client: CulvertClient, apiKey: APIKeySource, memory: TunnelMemory, mode: TunnelRecord.TLSMode = .edge) {
        self.client = client
        self.apiKey = apiKey
        self.memory = memory
        self.mode = mode
    }

    /// A tunnel that is there, with what this machine has to show for it.
    ///
    /// - Parameter isConnectedByKey: the API key connects its agents, and is shown whether there is a connect secret or not.
    package func reuse(_ tunnel: TunnelRecord, isConnectedByKey: Bool = false) async throws(Flaw) -> ServedTunnel {
        guard tunnel.tlsMode == mode else { throw .otherMode(tunnel) }
        guard isServable(tunnel.status) else {
            throw tunnel.status == .deletePending ? .beingDeleted(tunnel) : .notServable(tunnel)
        }
        if tunnel.agentIdentityID != nil || isConnectedByKey { return try await servedByKey(tunnel) }
        let secret: String?
        do { secret = try memory.secret(of: tunnel) } catch { throw .settings(error) }
        guard let secret else {
            guard await connectsByScope(tunnel) else { throw .missingSecret(tunnel) }
            return try await servedByKey(tunnel)
        }
        return ServedTunnel(tunnel: tunnel, credential: .connectSecret(secret))
    }

    /// A passthrough tunnel is served before it has its certificate: having one signed is a part of serving it.
    package func isServable(_ status: TunnelRecord.Status) -> Bool {
        status == .active || status == .awaitingCert && mode == .passthrough
    }

    /// A new tunnel. Its connect secret is kept on this machine; one of an identity has none and is served by the API key.
    package func create(_ name: String) async throws(Flaw) -> ServedTunnel {
        let created: CreatedTunnel
        do { created = try await client.createTunnel(named: name, tlsMode: mode) } catch {
            throw .service(.create(name: name), error)
        }
        guard let secret = created.connectSecret else { return try await servedByKey(created.tunnel) }
        do { try memory.remember(secret: secret, of: created.tunnel) } catch { throw .settings(error) }
        return ServedTunnel(tunnel: created.tunnel, credential: .connectSecret(secret))
    }

    /// A new tunnel under a name that is made up here.
    package func createWithMadeUpName() async throws(Flaw) -> ServedTunnel {
        var random = SystemRandomNumberGenerator()
        var attempt = 1
        while true {
            do throws(Flaw) {
                return try await create(PronounceableName.make(using: &random))
            } catch {
                guard case .service(_, .refused(let refusal)) = error, refusal.kind == .conflict, attempt < Self.madeUpNamesMax
                else { throw error }
                attempt += 1
            }
        }
    }

    /// Whether the key was narrowed to connecting agents of this tunnel, among other things.
    private func connectsByScope(_ tunnel: TunnelRecord) async -> Bool {
        guard let caller = try? await client.caller() else { return false }
        return caller.connectableTunnels?.contains { $0.id == tunnel.id } ?? false
            || caller.scopes?.contains("agents:connect") ?? false
    }

    private func servedByKey(_ tunnel: TunnelRecord) async throws(Flaw) -> ServedTunnel {
        do { return ServedTunnel(tunnel: tunnel, credential: .apiKey(try await apiKey.key())) } catch {
            throw .service(.readKey, error)
        }
    }
}
