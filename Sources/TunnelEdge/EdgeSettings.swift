package import HTTPTransport
package import TunnelDomain

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
    /// Seconds that the body of a call may take to arrive.
    package var apiBodySecondsMax = 30
    package var thirdParty = HTTPServerSettings()
    package var zoneHTTP = HTTPServerSettings()

    package init(zone: Zone) {
        self.zone = zone
        thirdParty.http2.concurrentStreamsMax = 128
        // Each parked intake, reply and bridge is one stream (section 1).
        zoneHTTP.http2.concurrentStreamsMax = 1_024
        // A reply's head is an origin's head in an envelope.
        zoneHTTP.http2.headerListByteCountMax = 256 * 1024
        zoneHTTP.http2.headerFieldCountMax = 300
        zoneHTTP.http2.offersExtendedConnect = true
        zoneHTTP.http2.pingIntervalSeconds = 20
    }
}
