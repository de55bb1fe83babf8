internal import TunnelDomain
package import TunnelService

/// What the edge asks the control plane for; at hello and at the end of a connection, never per request.
package struct AgentRegistry: Sendable {
    let authorize: AuthorizeHello
    let recordConnected: RecordAgentConnected
    let recordDisconnected: RecordAgentDisconnected
    let clock: any WallClock

    package init(ports: ServicePorts) {
        authorize = AuthorizeHello(ports: ports)
        recordConnected = RecordAgentConnected(ports: ports)
        recordDisconnected = RecordAgentDisconnected(ports: ports)
        clock = ports.clock
    }
}

/// Takes one line of the edge's log. Values never hold a secret.
package protocol EdgeLog: Sendable {
    func note(_ event: String, _ details: [(String, String)])
}
