internal import CNghttp2
package import LinuxIO
internal import TunnelDomain

/// Hears what concerns a whole HTTP/2 connection of a client.
package protocol HTTP2ClientOwner: AnyObject {
    /// Exchanges may begin.
    func connectionReady(_ connection: HTTP2Connection)
    /// The server has shown, by its SETTINGS, that it speaks HTTP/2.
    func connectionSettled(_ connection: HTTP2Connection)
    /// The server begins no more exchanges here: RFC 9113 §6.8, with its debug data.
    func connectionGoingAway(_ connection: HTTP2Connection, errorCode: UInt32, debugData: [UInt8])
    func connectionClosed(_ connection: HTTPConnection, error: ChannelError?)
}

extension HTTP2ClientOwner {
    package func connectionSettled(_ connection: HTTP2Connection) {}
}

/// One HTTP/2 connection, server or client, on nghttp2.
///
/// nghttp2 frames, compresses and keeps the windows; this class moves bytes between it, the channel and the streams.
/// Frames are pulled out of nghttp2 at the end of the loop's turn, and not while the channel is congested.
package final class HTTP2Connection: HTTPConnection, ChannelHandler {
    /// What a connection in use reads at a time, and keeps for sending.
    private static let bufferByteCount = 256 * 1024

    enum Role { case server(any HTTPServerHandler), client(any HTTP2ClientOwner) }

    private(set) var role: Role
    let settings: HTTP2Settings
    var session: OpaquePointer?
    var streams: [Int32: HTTP2Stream] = [:]
    var pseudoFields = PseudoFields()
    var headerList: [nghttp2_nv] = []
    var waitingForRoom: [HTTP2Stream] = []
    private var headsToSend: [HTTP2Stream] = []
    private(set) var isGoingAway = false
    private var isPumpScheduled = false
    private var isClosed = false
    private var resetsSent: TokenBucket
    private var resetsReceived: TokenBucket
    /// The peer broke a limit: nghttp2 ignores whatever it still sends.
    private var isTerminated = false
    private var idleFrames: TokenBucket
    private var lastPingAt = MonotonicInstant(nanoseconds: 0)
    private var pingSentAt: MonotonicInstant?
    private var settingsSentAt: MonotonicInstant?
    private var hasSettings = false
    private var hasReceived = false
    private var wantsClose = false
    private var widenedByteCount = 0
    /// The largest window that a stream of this connection has needed since it was last quiet.
    var usualWindowByteCount = 0
    private let beganAt: MonotonicInstant
    private var busyAt: MonotonicInstant
    /// The peer is one whose silence and slow messages are its right, such as an agent.
    package var isPatient = false
    private(set) var roundTrip: RoundTrip
    private var hasSaidGoodbye = false
    /// A GOAWAY frame that announces the end, until it has left.
    private var announcement: [UInt8] = []
    private var hasAnnounced = false
    /// The end was announced to a client that has streams of its own to begin: it follows with the answer to a PING.
    private var endsWithPong = false
    /// The connection ends with the answer to its last PING.
    private var closesWithPong = false
    /// The end is to be announced when no exchange is under way.
    private var isEndDue = false
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
        roundTrip = RoundTrip(asks: settings.pingIntervalSeconds > 0)
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
        channel.keepBuffers(ofByteCount: HTTP2Connection.bufferByteCount)
        channel.setReadByteCount(HTTP2Connection.bufferByteCount)
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
        if !isServer, !hasSettings, !beginsWithSettings(bytes) {
            return channel.abort(.aborted("what it sent is not HTTP/2"))
        }
        let taken = bytes.withUnsafeBufferPointer { nghttp2_session_mem_recv(session, $0.baseAddress, $0.count) }
        if taken < 0 {
            fail("HTTP/2: " + String(cString: nghttp2_strerror(Int32(taken))))
        }
        schedulePump()
    }

    /// A server's first frame is SETTINGS (RFC 9113 §3.4): the fourth byte is its type.
    private func beginsWithSettings(_ bytes: Span<UInt8>) -> Bool {
        guard !hasReceived else { return true }
        hasReceived = true
        return bytes.count < 4 || bytes[3] == UInt8(NGHTTP2_SETTINGS.rawValue)
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
        headsToSend = []
        // They refer to this connection: nobody would let go of either.
        waitingForRoom = []
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

    /// Tells the peer that the end is near, by a GOAWAY that names no last stream (RFC 9113 §6.8): whatever it has begun
    /// meanwhile is still served.
    ///
    /// nghttp2 takes no new streams once it has sent a GOAWAY of its own, and its notice carries no debug data, so the frame
    /// is ours.
    package func announceEnd(debugData: [UInt8]) {
        guard !isClosed, !hasSaidGoodbye, !hasAnnounced else { return }
        hasAnnounced = true
        let byteCount = UInt32(8 + debugData.count)
        announcement = [UInt8(truncatingIfNeeded: byteCount >> 16), UInt8(truncatingIfNeeded: byteCount >> 8)]
        announcement += [UInt8(truncatingIfNeeded: byteCount), UInt8(NGHTTP2_GOAWAY.rawValue), 0, 0, 0, 0, 0]
        announcement += [0x7F, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0] + debugData
        schedulePump()
    }

    /// Announces the end; the GOAWAY that ends it follows when the client has heard of it, or after a moment.
    ///
    /// Not while an exchange is under way, if that does not last: many a client cannot read an answer behind a GOAWAY.
    package override func drainPolitely(silenceMax: Duration) {
        guard streams.isEmpty else {
            isEndDue = true
            channel.loop.schedule(after: HTTP2Connection.busyMax) { [self] in announceEndToClient() }
            return
        }
        announceEndToClient()
    }

    /// Announces the end when it is due and nothing is under way.
    func announceEndIfDue() {
        if isEndDue, streams.isEmpty { announceEndToClient() }
    }

    private func announceEndToClient() {
        guard let session, !isClosed, !hasAnnounced else { return }
        announceEnd(debugData: [])
        endsWithPong = true
        pingSentAt = channel.loop.now
        nghttp2_submit_ping(session, UInt8(NGHTTP2_FLAG_NONE.rawValue), nil)
        channel.loop.schedule(after: HTTP2Connection.announcementMax) { [self] in drain() }
    }

    /// How long the announcement waits for a moment without an exchange.
    private static let busyMax: Duration = .seconds(10)
    /// How long a client may take to hear that the end is near.
    private static let announcementMax: Duration = .seconds(2)

    /// Closes when the peer has read everything that was written, which it shows by answering a PING, or after a moment.
    ///
    /// Whoever closes a socket in which unread bytes lie resets the connection, and what it sent last is lost on the way.
    package func closeOnceHeard() {
        guard let session, !isClosed, !closesWithPong else { return }
        closesWithPong = true
        HTTP2Connection.lastPing.withUnsafeBufferPointer { payload in
            _ = nghttp2_submit_ping(session, UInt8(NGHTTP2_FLAG_NONE.rawValue), payload.baseAddress)
        }
        schedulePump()
        channel.loop.schedule(after: HTTP2Connection.hearingMax) { [self] in channel.close() }
    }

    /// The payload of the PING that a client ends with, eight bytes that no other has.
    static let lastPing = Array("the last".utf8)
    /// How long the peer may take to read the last of it.
    private static let hearingMax: Duration = .seconds(2)

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
        sendHeads()
        while !channel.isCongested {
            var frame: UnsafePointer<UInt8>?
            let count = nghttp2_session_mem_send(session, &frame)
            guard count > 0, let frame else { break }
            channel.write(UnsafeRawBufferPointer(start: frame, count: count))
        }
        // Between frames, and not between the parts of a head.
        if !announcement.isEmpty, !channel.isCongested {
            announcement.withUnsafeBytes { channel.write($0) }
            announcement = []
        }
        guard nghttp2_session_want_read(session) == 0, nghttp2_session_want_write(session) == 0 else { return }
        // A server's last answers may be on their way; a client's must be heard before it may go.
        if isServer || isTerminated { channel.close() } else { closeOnceHeard() }
    }

    /// Has the head sent at the end of the turn, if nothing has sent it before.
    func sendHeadLater(of stream: HTTP2Stream) {
        guard !isClosed else { return }
        headsToSend.append(stream)
        schedulePump()
    }

    private func sendHeads() {
        guard !headsToSend.isEmpty else { return }
        for stream in headsToSend { stream.sendHead() }
        headsToSend.removeAll(keepingCapacity: true)
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

    func noteLastPong() {
        if closesWithPong { channel.close() }
    }

    func notePong() {
        let sent = pingSentAt
        pingSentAt = nil
        noteRoundTrip(since: sent)
        if endsWithPong { drain() }
    }

    func noteSettings(isAnswer: Bool) {
        guard isAnswer else {
            let isFirst = !hasSettings
            hasSettings = true
            if isFirst, case .client(let owner) = role { owner.connectionSettled(self) }
            return
        }
        noteRoundTrip(since: settingsSentAt)
        settingsSentAt = nil
    }

    private func noteRoundTrip(since sent: MonotonicInstant?) {
        guard let sent else { return }
        roundTrip.measured(nowNanoseconds - sent.nanoseconds)
        if roundTrip.needsMore, !endsWithPong { ping() }
    }

    private func ping() {
        guard let session, pingSentAt == nil else { return }
        lastPingAt = channel.loop.now
        pingSentAt = lastPingAt
        nghttp2_submit_ping(session, UInt8(NGHTTP2_FLAG_NONE.rawValue), nil)
        schedulePump()
    }

    /// Every few seconds: sends PINGs, and ends what makes no progress.
    private func watch() {
        let interval = max(
            1, min(5, settings.headSecondsMax, settings.idleSecondsMax, max(1, settings.pingIntervalSeconds) * 2))
        watchTimer = channel.loop.schedule(after: .seconds(interval)) { [self] in watchOnce() }
    }

    /// Asks at once whether the peer is still there, instead of when the next PING is due, and gives it up without an answer.
    package func probe(secondsMax: Int) {
        guard !isClosed else { return }
        ping()
        let asked = pingSentAt
        // Captured strongly, for the few seconds it takes: weak references would make every use of a connection slow.
        channel.loop.schedule(after: .seconds(secondsMax)) { [self] in
            guard !isClosed, let sent = pingSentAt, sent == asked else { return }
            channel.abort(.timedOut("an answer to PING"))
        }
    }

    private func watchOnce() {
        guard !isClosed else { return }
        let now = channel.loop.now
        if let sent = pingSentAt, sent + .seconds(settings.pingTimeoutSeconds) <= now {
            return channel.abort(.timedOut("an answer to PING"))
        }
        if settings.pingIntervalSeconds > 0, pingSentAt == nil, lastPingAt + .seconds(settings.pingIntervalSeconds) <= now {
            ping()
        }
        let limit = now.nanoseconds - Int64(settings.writeStallSecondsMax) * 1_000_000_000
        for stream in streams.values {
            // One that idles gives back what it kept while it was busy: a bridge can live for days.
            stream.outgoing.trim()
            let isStalled = stream.stalledSinceNanoseconds > 0 && stream.stalledSinceNanoseconds < limit
            if isStalled, stream.outgoing.count > 0 { stream.reset(.cancel) }
        }
        if channel.unsentByteCount > 0, channel.lastSentAt.nanoseconds < limit {
            return channel.abort(.timedOut("the peer to read"))
        }
        if isServer, !isPatient { look(at: now) }
        // A quiet connection gives back what a busy one keeps.
        if channel.lastProgressAt + .seconds(1) <= now {
            channel.trimBuffers()
            usualWindowByteCount = 0
        }
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
            } else if stream.unconsumedByteCount == 0, !stream.isFinished, !stream.isTunnel, !stream.isConversation,
                !stream.hasSentHead
            {
                // Where the answer is whole already, it is let out first; the stream ends with it.
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
        announceEndIfDue()
    }
}

extension HTTP2Connection: TurnEndHandler {
    package func turnEnded() {
        isPumpScheduled = false
        pump()
        tellOfRoom()
        if wantsClose { channel.close() }
    }
}
