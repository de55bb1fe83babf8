/// When and from where a stream of events goes on after a connection was lost.
///
/// Pauses begin at one second, or at what the server asked for, double with each failure up to half a minute, and begin anew
/// once something has arrived.
package struct EventResumption: Sendable, Hashable {
    package static let pauseMillisecondsMax = 30_000
    package static let pauseMillisecondsDefault = 1_000

    /// What to send as `Last-Event-ID`; nil begins with what happens from now on.
    package private(set) var lastEventID: String?
    private var basePauseMilliseconds = Self.pauseMillisecondsDefault
    private var failureCount = 0

    package init(after lastEventID: String?) { self.lastEventID = lastEventID }

    /// Whether an event that has arrived is new. One with the id of the last is the last one again.
    package mutating func isNew(_ event: ReceivedEvent) -> Bool {
        failureCount = 0
        guard let id = event.lastEventID else { return true }
        guard id != lastEventID else { return false }
        lastEventID = id
        return true
    }

    /// The server says that nothing up to this place concerns this stream.
    package mutating func moved(to id: String) {
        failureCount = 0
        lastEventID = id
    }

    /// Something else has arrived: the connection works.
    package mutating func receivedSignOfLife() { failureCount = 0 }

    package mutating func serverAsked(forPauseMilliseconds milliseconds: Int) { basePauseMilliseconds = milliseconds }

    /// The pause before the next connection, or nil when this failure is the caller's to know.
    ///
    /// - Parameter attemptCountMax: how many connections in a row may fail, the last one included; nil for any number.
    package mutating func pause(after failure: ClientError?, attemptCountMax: Int? = nil) -> Duration? {
        defer { failureCount += 1 }
        if let attemptCountMax, failureCount + 1 >= attemptCountMax { return nil }
        let doubled = max(basePauseMilliseconds, 1) << min(failureCount, 16)
        let step = Duration.milliseconds(max(basePauseMilliseconds, min(doubled, Self.pauseMillisecondsMax)))
        switch failure {
        case nil: return step
        case .refused(let refusal):
            guard [429, 500, 502, 503, 504].contains(refusal.status) else { return nil }
            return max(step, .seconds(refusal.retryAfterSeconds ?? 0))
        case .noAnswer(.untrustedCertificate): return nil
        case .noAnswer(.unreachable), .noAnswer(.connectionLost), .noAnswer(.timedOut): return step
        case .unusableAnswer, .credentialUnusable, .cancelled: return nil
        }
    }
}
