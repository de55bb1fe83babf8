package import TunnelDomain

/// A credential as an agent shows it; it is never logged.
package enum AgentCredential: Sendable, Hashable {
    case connectSecret(String)
    case apiKey(String)
}

/// What the control plane says to a hello (data plane, section 2).
package enum HelloVerdict: Sendable {
    /// The agent may serve the tunnel; `keyID` names the API key it used, so that revoking it ends the connection.
    case accept(Tunnel, keyID: UUIDValue?)
    /// 401 or 403, with a sentence for people.
    case refuse(status: Int, detail: String)
    /// The store did not answer: the agent tries again.
    case unavailable(detail: String)
}

/// What the edge asks the control plane; it is asked at hello and at the end of a connection, never per request.
package protocol HelloAuthority: Sendable {
    func judgeHello(tunnelID: String, credential: AgentCredential, address: String) async -> HelloVerdict
    func agentConnected(_ id: TunnelID, address: String) async
    func agentDisconnected(_ id: TunnelID) async
}

/// One line of the edge's log. Values never hold a secret.
package protocol EdgeLog: Sendable {
    func note(_ event: String, _ details: [(String, String)])
}
