package import TunnelWire

/// What an HTTP/1.1 server puts up with.
package struct HTTP1Settings: Sendable {
    package var limits = HTTP1Limits()
    /// Seconds from the first byte of a head to its last.
    package var headSecondsMax = 10
    /// Seconds that a kept-alive connection may be silent between requests.
    package var idleSecondsMax = 60
    /// Bytes per second that a request body must come at, on average, once `bodyGraceSeconds` have passed.
    package var bodyBytesPerSecondMin = 240
    package var bodyGraceSeconds = 10
    /// Seconds without progress after which a peer that does not read is cut off.
    package var writeStallSecondsMax = 60
    /// Body bytes received and not consumed, past which reading pauses.
    package var unconsumedByteCountMax = 256 * 1024
    /// Seconds that the rest of a refused request is read and thrown away, so that the answer is not lost to a reset.
    package var lingerSecondsMax = 2

    package init() {}

    /// How often a connection looks at its clock.
    var watchSeconds: Int { max(1, min(5, headSecondsMax, idleSecondsMax, bodyGraceSeconds, writeStallSecondsMax)) }
}
