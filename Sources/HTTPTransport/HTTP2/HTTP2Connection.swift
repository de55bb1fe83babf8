internal import CNghttp2
package import LinuxIO
internal import TunnelDomain

/// Hears what concerns a whole HTTP/2 connection of a client.
package protocol HTTP2ClientOwner: AnyObject {
    /// Exchanges may begin.
    func connectionReady(_ connection: HTTP2Connection)
    /// The server begins no more exchanges here: RFC 9113 §6.8, with its debug data.
    func connectionGoingAway(_ connection: HTTP2Connection, errorCode: UInt32, debugData: [UInt8])
    func connectionClosed(_ connection: HTTPConnection, error: ChannelError?)
}

/// One HTTP/2 connection, server or client, on nghttp2.
///
/// nghttp2 frames, compresses and keeps the windows; this class moves bytes between it, the channel and the streams.
/// Frames are pulled out of nghttp2 at the end of the loop's turn, and not while the channel is congested.
package final class HTTP2Connection: HTTPConnection, ChannelHandler {
    enum Role { case server(any HTTPServerHandler), client(any HTTP2ClientOwner) }

    private(set) var role: Role
    let settings: HTTP2Settings
    var session: OpaquePointer?
    var streams: [Int32: HTTP2Stream] = [:]
    var pseudoFields = PseudoFields()
    var headerList: [nghttp2_nv] = []
    private(set) var isGoingAway = false
    private var isPumpScheduled = false
    private var isClosed = false
    private var resetsSent: TokenBucket
    private var resetsReceived: TokenBucket
    /// The peer broke a limit: nothing that it still sends is begun.
    private(set) var isTerminated = false
    private var idleFrames: TokenBucket
    private var lastPingAt = MonotonicInstant(nanoseconds: 0)
    private var pingSentAt: MonotonicInstant?
    private var settingsSentAt: MonotonicInstant?
    private var hasSettings = false
    private var wantsClose = false
    private var widenedByteCount = 0
    private let beganAt: MonotonicInstant
    private var busyAt: MonotonicInstant
    /// The peer is one whose silence and slow messages are its right, such as an agent.
    package var isPatient = false
    /// The shortest round trip seen, in nanoseconds; 0 until one was.
    private(set) var roundTripNanoseconds: Int64 = 0
    private var hasSaidGoodbye = false
    private var watchTimer: TimerID?

    var isServer: Bool { if case .server = role { true } else { false } }
    var nowNanoseconds: Int64 { channel.loop.now.nanoseconds }
    package override var isHTTP2: Bool { true }
    /// False once either side has said that no new exchange begins.
    package var mayBegin: Bool { !isGoingAway && !isClosed && session != nil }
    package var openStreamCount: Int { streams.count }

    private init(channel: Channel, role: Role, settings: HTTP2Settings) {
        self.role = role
        self.settings = settings
        resetsSent = TokenBucket(burst: settings.resetsBurstMax, perSecond: settings.resetsPerSecondMax)
        resetsReceived = TokenBucket(burst: settings.resetsBurstMax, perSecond: settings.resetsPerSecondMax)
        idleFrames = TokenBucket(burst: settings.idleFramesBurstMax, perSecond: settings.idleFramesPerSecondMax)
        beganAt = channel.loop.now
        busyAt = beganAt
        super.init(channel: channel)
    }

    deinit { nghttp2_session_del(session) }

    /// Speaks HTTP/2 as a server on a channel that is open.
    package static func serve(_ channel: Channel, handler: any HTTPServerHandler, settings: HTTP2Settings) -> HTTP2Connection {
        let connection = HTTP2Connection(channel: channel, role: .server(handler), settings: settings)
        channel.replaceHandler(connection)
        connection.begin()
        return connection
    }

    /// Speaks HTTP/2 as a client on a channel that is open.
    package static func client(_ channel: Channel, owner: any HTTP2ClientOwner, settings: HTTP2Settings) -> HTTP2Connection {
        let connection = HTTP2Connection(channel: channel, role: .client(owner), settings: settings)
        channel.replaceHandler(connection)
        connection.begin()
        return connection
    }

    private func begin() {
        channel.keepBuffers(ofByteCount: 64 * 1024)
        channel.setReadByteCount(64 * 1024)
        session = makeSession()
        guard session != nil else { return channel.abort(.aborted("out of memory")) }
        submitSettings()
        settingsSentAt = channel.loop.now
        schedulePump()
        watch()
        if case .client(let owner) = role { owner.connectionReady(self) }
    }

    // MARK: ChannelHandler

    package func channelOpened() {}

    package func channelReceived(_ bytes: Span<UInt8>) {
        guard let session, !isClosed else { return }
        let taken = bytes.withUnsafeBufferPointer { nghttp2_session_mem_recv(session, $0.baseAddress, $0.count) }
        if taken < 0 {
            fail("HTTP/2: " + String(cString: nghttp2_strerror(Int32(taken))))
        }
        schedulePump()
    }

    package func channelReachedEnd() { channel.close() }

    package func channelDrained() { schedulePump() }

    package func channelClosed(_ error: ChannelError?) {
        guard !isClosed else { return }
        isClosed = true
        if let watchTimer { channel.loop.cancel(watchTimer) }
        let lost = StreamError.connectionLost(error ?? .closedByPeer)
        let open = streams.values.sorted { $0.id < $1.id }
        streams.removeAll()
        for stream in open { close(stream, lost) }
        nghttp2_session_del(session)
        session = nil
        switch role {
        case .server(let handler): handler.connectionClosed(self, error: error)
        case .client(let owner): owner.connectionClosed(self, error: error)
        }
    }

    // MARK: Moving

    package override func move(
        to door: EventLoop, arrive: @escaping (Loop) -> any HTTPServerHandler, leave: @escaping () -> Void
    ) {
        channel.move(to: door) { [self] in
            if let watchTimer { channel.loop.cancel(watchTimer) }
            leave()
        } arrive: { [self] channel in
            watch()
            role = .server(arrive(channel.loop))
        }
    }

    // MARK: Ending

    /// Tells the peer that no new exchange begins here, lets the open ones finish, then closes.
    package override func drain() { goAway(errorCode: 0, debugData: []) }

    /// Sends GOAWAY with the code and debug data; open exchanges may finish.
    package func goAway(errorCode: UInt32, debugData: [UInt8]) {
        guard let session, !isClosed, !hasSaidGoodbye else { return }
        hasSaidGoodbye = true
        isGoingAway = true
        let last = nghttp2_session_get_last_proc_stream_id(session)
        nghttp2_submit_goaway(session, UInt8(NGHTTP2_FLAG_NONE.rawValue), last, errorCode, debugData, debugData.count)
        schedulePump()
    }

    /// Sends what is waiting and closes, open exchanges or not.
    package func closeAfterFlush() {
        // Not now: this may be called from inside of nghttp2.
        wantsClose = true
        schedulePump()
    }

    func noteGoingAway() { isGoingAway = true }

    private func fail(_ why: String) {
        pump()
        channel.close()
    }

    // MARK: Sending

    func schedulePump() {
        guard !isPumpScheduled, !isClosed else { return }
        isPumpScheduled = true
        channel.loop.atTurnEnd(self)
    }

    /// Moves frames from nghttp2 to the channel until there are none or the channel is full.
    private func pump() {
        guard let session, !isClosed else { return }
        while !channel.isCongested {
            var frame: UnsafePointer<UInt8>?
            let count = nghttp2_session_mem_send(session, &frame)
            guard count > 0, let frame else { break }
            channel.write(UnsafeRawBufferPointer(start: frame, count: count))
        }
        if nghttp2_session_want_read(session) == 0, nghttp2_session_want_write(session) == 0 { channel.close() }
    }

    // MARK: Limits

    /// Counts a reset that we were made to send; too many end the connection.
    func noteResetSent() {
        guard !isPatient, !resetsSent.take(atNanoseconds: nowNanoseconds) else { return }
        terminate(UInt32(NGHTTP2_ENHANCE_YOUR_CALM.rawValue))
    }

    /// Counts a reset that the peer sent. nghttp2 could count too, but goes on with all that it was given at once, and would
    /// count an agent's: those are made by third parties that go away, who must not be able to end the agent's connection.
    func noteResetReceived() {
        guard isServer, !isPatient, !resetsReceived.take(atNanoseconds: nowNanoseconds) else { return }
        terminate(UInt32(NGHTTP2_ENHANCE_YOUR_CALM.rawValue))
    }

    /// Counts a frame that brought nothing.
    func noteIdleFrame() {
        guard !idleFrames.take(atNanoseconds: nowNanoseconds) else { return }
        terminate(UInt32(NGHTTP2_ENHANCE_YOUR_CALM.rawValue))
    }

    func terminate(_ code: UInt32) {
        guard let session, !isTerminated else { return }
        isTerminated = true
        isGoingAway = true
        nghttp2_session_terminate_session(session, code)
        schedulePump()
    }

    func notePong() {
        noteRoundTrip(since: pingSentAt)
        pingSentAt = nil
    }

    func noteSettings(isAnswer: Bool) {
        guard isAnswer else { return hasSettings = true }
        noteRoundTrip(since: settingsSentAt)
        settingsSentAt = nil
    }

    private func noteRoundTrip(since sent: MonotonicInstant?) {
        guard let sent else { return }
        let time = max(1, nowNanoseconds - sent.nanoseconds)
        roundTripNanoseconds = roundTripNanoseconds == 0 ? time : min(roundTripNanoseconds, time)
    }

    /// Every few seconds: sends PINGs, and ends what makes no progress.
    private func watch() {
        let interval = max(
            1, min(5, settings.headSecondsMax, settings.idleSecondsMax, max(1, settings.pingIntervalSeconds) * 2))
        watchTimer = channel.loop.schedule(after: .seconds(interval)) { [self] in watchOnce() }
    }

    private func watchOnce() {
        guard let session, !isClosed else { return }
        let now = channel.loop.now
        if let sent = pingSentAt, sent + .seconds(settings.pingTimeoutSeconds) <= now {
            return channel.abort(.timedOut("an answer to PING"))
        }
        if settings.pingIntervalSeconds > 0, pingSentAt == nil, lastPingAt + .seconds(settings.pingIntervalSeconds) <= now {
            lastPingAt = now
            pingSentAt = now
            nghttp2_submit_ping(session, UInt8(NGHTTP2_FLAG_NONE.rawValue), nil)
            schedulePump()
        }
        let limit = now.nanoseconds - Int64(settings.writeStallSecondsMax) * 1_000_000_000
        for stream in streams.values where stream.stalledSinceNanoseconds > 0 && stream.stalledSinceNanoseconds < limit {
            if stream.outgoing.count > 0 { stream.reset(.cancel) }
        }
        if channel.unsentByteCount > 0, channel.lastSentAt.nanoseconds < limit {
            return channel.abort(.timedOut("the peer to read"))
        }
        if isServer, !isPatient { look(at: now) }
        // A quiet connection gives back what a busy one keeps.
        if channel.lastProgressAt + .seconds(1) <= now { channel.trimBuffers() }
        watch()
    }

    /// Ends what comes too slowly.
    private func look(at now: MonotonicInstant) {
        if !streams.isEmpty { busyAt = now }
        let isLate = !hasSettings && beganAt + .seconds(settings.headSecondsMax) <= now
        if isLate { return channel.abort(.timedOut("the client's SETTINGS")) }
        if streams.isEmpty, busyAt + .seconds(settings.idleSecondsMax) <= now {
            drain()
            return closeAfterFlush()
        }
        for stream in streams.values where !stream.hasReceivedEnd {
            let seconds = Int((now.nanoseconds - stream.beganAtNanoseconds) / 1_000_000_000)
            if !stream.isHeadDone {
                if seconds >= settings.headSecondsMax { return channel.abort(.timedOut("the head of a request")) }
            } else if stream.unconsumedByteCount == 0, !stream.hasSentEnd {
                let due = (seconds - settings.bodyGraceSeconds) * settings.bodyBytesPerSecondMin
                if stream.receivedByteCount < due { stream.reset(.cancel) }
            }
        }
    }

    // MARK: Streams

    /// Whether a stream's window may grow: on an agent's link only, where the peer is known, and within a bound for all.
    func mayWiden(by byteCount: Int) -> Bool {
        guard !isServer || isPatient, widenedByteCount + byteCount <= settings.widenedByteCountMax else { return false }
        widenedByteCount += byteCount
        return true
    }

    func close(_ stream: HTTP2Stream, _ error: StreamError?) {
        guard !stream.isClosed else { return }
        stream.isClosed = true
        widenedByteCount -= stream.widenedByteCount
        busyAt = channel.loop.now
        let receiver = stream.receiver
        stream.receiver = nil
        // What was not sent is still counted while the receiver is told.
        receiver?.streamClosed(error, on: stream)
        stream.outgoing.removeAll()
        stream.outgoing.trim()
    }
}

extension HTTP2Connection: TurnEndHandler {
    package func turnEnded() {
        isPumpScheduled = false
        pump()
        if wantsClose { channel.close() }
    }
}
