package import HTTPTransport

extension HTTPServerSettings {
    /// A server that waits for longer than any test lasts: on a busy machine a client may be held up between two steps for
    /// as long as it likes. What a test wants to see end by time, it sets itself.
    package static var patient: HTTPServerSettings {
        var settings = HTTPServerSettings()
        settings.waitPatiently()
        return settings
    }

    package mutating func waitPatiently() {
        handshakeSecondsMax = 600
        http1.headSecondsMax = 600
        http1.idleSecondsMax = 600
        http1.bodyGraceSeconds = 600
        http1.writeStallSecondsMax = 600
        http2.headSecondsMax = 600
        http2.idleSecondsMax = 600
        http2.bodyGraceSeconds = 600
        http2.writeStallSecondsMax = 600
    }
}
