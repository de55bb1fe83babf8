/// What an HTTP/2 endpoint promises and puts up with; every limit has a reason in the threat model.
package struct HTTP2Settings: Sendable {
    /// Exchanges that the peer may have open at once.
    package var concurrentStreamsMax = 256
    /// The bytes of one message that may be on their way or waiting to be consumed; grows with the round trip for a
    /// reader that keeps up (`ReceiveWindow`).
    package var streamWindowByteCount = 128 * 1024
    /// The same for the whole connection; it is given back on receipt, so that one stalled stream stops no other. Four of the
    /// largest windows, because nghttp2 gives half of it back at a time.
    package var connectionWindowByteCount = 4 * ReceiveWindow.byteCountMax
    /// What the windows of all streams of an agent's link may have grown by together.
    package var widenedByteCountMax = 64 * 1024 * 1024
    /// Field names and values of a head together, each field counting 32 more (RFC 9113 §6.5.2).
    package var headerListByteCountMax = 64 * 1024
    package var headerFieldCountMax = 100
    /// The same for heads that we send: an envelope is larger than the head that it carries.
    package var sentHeaderListByteCountMax = 256 * 1024
    /// Streams that the peer may reset at once, and again each second, before the connection ends (CVE-2023-44487).
    package var resetsBurstMax = 200
    package var resetsPerSecondMax = 20
    /// CONTINUATION frames after one HEADERS (CVE-2024-28182).
    package var continuationsMax = 8
    /// Entries of one SETTINGS frame.
    package var settingsEntriesMax = 32
    /// Answers to PING and SETTINGS that the peer leaves unread.
    package var unreadAnswersMax = 128
    /// Frames that bring nothing (PING, SETTINGS, PRIORITY, empty DATA) at once, and again each second. Frames of unknown
    /// types are skipped before they cost anything and are not counted.
    package var idleFramesBurstMax = 500
    package var idleFramesPerSecondMax = 50
    /// Seconds between PINGs, 0 for none; and how long an answer may take.
    package var pingIntervalSeconds = 0
    package var pingTimeoutSeconds = 10
    /// Seconds without a byte of progress after which a stream that has something to send is reset.
    package var writeStallSecondsMax = 60
    /// For servers. Seconds from the first byte of a connection to its SETTINGS, and of a head to its last byte.
    package var headSecondsMax = 10
    /// For servers. Seconds that a connection without an exchange may last.
    package var idleSecondsMax = 60
    /// For servers. Bytes per second that a request body must come at, on average, once the grace has passed.
    package var bodyBytesPerSecondMin = 240
    package var bodyGraceSeconds = 10
    /// Whether extended CONNECT (RFC 8441) is offered.
    package var offersExtendedConnect = false

    package init() {}
}

/// A budget that refills with time: so many at once, so many more each second.
struct TokenBucket {
    private let burst: Double
    private let perSecond: Double
    private var tokens: Double
    private var refilledAtNanoseconds: Int64 = 0

    init(burst: Int, perSecond: Int) {
        self.burst = Double(burst)
        self.perSecond = Double(perSecond)
        tokens = Double(burst)
    }

    /// Takes one token; false when there is none.
    mutating func take(atNanoseconds now: Int64) -> Bool {
        if refilledAtNanoseconds != 0 { tokens = min(burst, tokens + perSecond * Double(now - refilledAtNanoseconds) / 1e9) }
        refilledAtNanoseconds = now
        guard tokens >= 1 else { return false }
        tokens -= 1
        return true
    }
}
