package import HTTPTransport
package import TunnelDomain
package import TunnelWire

/// The limits of the data plane, section 9; every one can be changed by the operator.
package struct EdgeSettings: Sendable {
    package var zone: Zone
    /// Where clients reach the service with TLS and in clear text; nil where there is no such listener.
    package var httpsPort: UInt16?
    package var httpPort: UInt16?
    package var pool = IntakePool.Limits()
    /// Intakes that an agent parks when it does not ask for a number.
    package var poolSizeDefault = 8
    /// Connections of third parties to one tunnel, and in all.
    package var connectionsPerTunnelMax = 1_024
    package var connectionsMax = 20_000
    /// Seconds that a connection to the zone may exist without a hello or an API call.
    package var helloSecondsMax = 10
    /// Body bytes of a request to the API.
    package var apiBodyByteCountMax = 1024 * 1024
    /// Body bytes that all calls of one loop may have in memory before new ones are refused.
    package var apiBodiesByteCountMax = 32 * 1024 * 1024
    /// How many of them one address group may have sent, so that one stranger does not keep the others out.
    package var apiBodiesPerAddressByteCountMax = 8 * 1024 * 1024
    /// Whose word about the addresses behind them is believed.
    package var trustedProxies = TrustedProxies()
    /// Seconds that the body of a call may take to arrive.
    package var apiBodySecondsMax = 30
    /// How long a silent connection is kept after a hand-over, whose client may be about to ask.
    package var silenceMax: Duration = .seconds(3)
    /// How long requests wait for an agent that has left the process before and has not come here.
    package var agentReturnMax: Duration = .seconds(5)
    package var webSocket = WebSocketSettings()
    package var passthrough = PassthroughSettings()
    package var thirdParty = HTTPServerSettings()
    package var zoneHTTP = HTTPServerSettings()

    package init(zone: Zone) {
        self.zone = zone
        thirdParty.http2.concurrentStreamsMax = 128
        thirdParty.http2.offersExtendedConnect = true
        // Each parked intake, reply and bridge is one stream (section 1): as many bridges as a tunnel has connections, and
        // room beside them.
        zoneHTTP.http2.concurrentStreamsMax = 2_048
        // A reply's head is an origin's head in an envelope.
        zoneHTTP.http2.headerListByteCountMax = 256 * 1024
        zoneHTTP.http2.headerFieldCountMax = 300
        zoneHTTP.http2.offersExtendedConnect = true
        zoneHTTP.http2.pingIntervalSeconds = 20
    }
}

/// The limits of WebSockets (data plane, sections 6 and 9).
package struct WebSocketSettings: Sendable {
    /// The largest message; one byte more closes with 1009.
    package var messageByteCountMax = 1024 * 1024
    /// Seconds that an agent has to bind its end after it accepted; then the third party gets 4504.
    package var bindSecondsMax = 10
    package var pump = WebSocketPumpSettings()

    package init() {}
}
