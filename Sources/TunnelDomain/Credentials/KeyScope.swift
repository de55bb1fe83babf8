/// What an API key may be narrowed to, one word for each kind of act; the table of permissions says which act needs which.
public enum KeyScope: String, Hashable, Sendable, CaseIterable {
    case readTunnels = "tunnels:read"
    case writeTunnels = "tunnels:write"
    case rotateSecrets = "secrets:rotate"
    /// To connect agents for every tunnel that the key reaches. `tunnel:{name}:connect` is for one tunnel.
    case connectAgents = "agents:connect"
    case writeIdentities = "identities:write"
    case readKeys = "keys:read"
    case writeKeys = "keys:write"
    case readApps = "apps:read"
    case writeApps = "apps:write"
    case readWebhooks = "webhooks:read"
    case writeWebhooks = "webhooks:write"
    case readAudit = "audit:read"
    case readEvents = "events:read"

    /// Whether it lets a key make further credentials of the API. A key of the whole organization with such a scope is made
    /// on the service's own machine alone, as admin keys are, so that a stolen one cannot breed.
    public var makesCredentials: Bool {
        switch self {
        case .writeKeys, .writeApps: true
        case .readTunnels, .writeTunnels, .rotateSecrets, .connectAgents, .writeIdentities, .readKeys, .readApps,
            .readWebhooks, .writeWebhooks, .readAudit, .readEvents:
            false
        }
    }
}

/// A scope as people ask for it: one of the words of ``KeyScope``, or `tunnel:{name}:connect`.
public enum KeyScopeName: Hashable, Sendable {
    case word(KeyScope)
    /// To connect agents for the tunnel with this name, and nothing else.
    case connect(TunnelName)

    /// Takes one spelling for each scope; the error says what is wrong.
    public init(validating text: String) throws(KeyScopeError) {
        if let word = KeyScope(rawValue: text) {
            self = .word(word)
            return
        }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0] == "tunnel", parts[2] == "connect" else { throw .unknown }
        do throws(TunnelNameError) {
            self = .connect(try TunnelName(validating: String(parts[1])))
        } catch {
            throw .badName(error)
        }
    }

    /// The scope as it is written everywhere.
    public var text: String {
        switch self {
        case .word(let word): word.rawValue
        case .connect(let name): "tunnel:\(name):connect"
        }
    }
}

/// Why a text is no scope of a key.
public enum KeyScopeError: Error, Hashable, Sendable {
    case unknown
    /// What stands between the colons of `tunnel:{name}:connect` is no name.
    case badName(TunnelNameError)

    /// What is wrong and what would be right, in one sentence for people.
    public var explanation: String {
        switch self {
        case .unknown:
            "It is no scope of a key; there are \(KeyScope.allCases.map(\.rawValue).joined(separator: ", ")) and "
                + "tunnel:{name}:connect."
        case .badName(let error): "Between its colons stands no name of a tunnel. \(error.explanation)"
        }
    }
}
