internal import HTTPTransport
internal import LinuxIO
internal import TunnelDomain

/// The connections to a target that speaks HTTP/2, each of them shared by many requests.
///
/// One is enough as long as the target takes another request there. When it takes no more at a time, or has let the window of
/// the whole connection run out, because a program reads one request's body slowly, another connection is opened.
final class SharedConnections {
    private struct Entry {
        var connection: HTTP2Connection
        var usedAt: MonotonicInstant
    }

    private let pool: TargetPool
    private let limits: AgentLimits
    private let loop: Loop
    private var settings = HTTP2Settings()
    private var entries: [Entry] = []
    /// Requests that wait for a connection.
    private var waiting: [StreamOrigin] = []
    private var dial: TargetDial?
    /// A connection whose server has not shown yet that it speaks HTTP/2, and the end of its time.
    private var greeting: (connection: HTTP2Connection, timer: TimerID)?
    private var isSweepScheduled = false
    private var isClosed = false

    init(pool: TargetPool, limits: AgentLimits, loop: Loop) {
        self.pool = pool
        self.limits = limits
        self.loop = loop
        // Servers of gRPC hang up on clients that ping them without need; the system tells when a local program is gone.
        settings.pingIntervalSeconds = 0
    }

    var target: AgentTarget { pool.target }

    /// Calls the origin's `begin(on:)` or `failed`, at once or later.
    func connect(_ origin: StreamOrigin) {
        if waiting.isEmpty, let connection = best { return begin(origin, on: connection) }
        waiting.append(origin)
        dialIfNeeded()
    }

    /// The same after a pause; an origin that is over by then makes nothing of it.
    func connect(_ origin: StreamOrigin, after pause: Duration) {
        loop.schedule(after: pause) { [self] in
            if !origin.isOver { connect(origin) }
        }
    }

    /// The origin does not wait any more.
    func forget(_ origin: StreamOrigin) { waiting.removeAll { $0 === origin } }

    /// Takes no more requests; those under way go on.
    func close() {
        isClosed = true
        if waiting.isEmpty { drain() }
    }

    private func drain() {
        for entry in entries { entry.connection.drain() }
        if waiting.isEmpty {
            dial?.cancel()
            dial = nil
            greeting?.connection.drain()
        }
    }

    // MARK: Choosing

    /// The connection that the next request goes out on: the emptiest with room, or, when there may be no more connections,
    /// the emptiest of all, where the request waits for its turn.
    private var best: HTTP2Connection? {
        let open = entries.lazy.map(\.connection).filter(\.mayBegin)
        let emptiest = open.filter(\.hasRoomForOneMore).min { $0.openStreamCount < $1.openStreamCount }
        guard emptiest == nil, open.count >= limits.sharedTargetConnectionsMax else { return emptiest }
        return open.min { $0.openStreamCount < $1.openStreamCount }
    }

    private func begin(_ origin: StreamOrigin, on connection: HTTP2Connection) {
        if let index = entries.firstIndex(where: { $0.connection === connection }) { entries[index].usedAt = loop.now }
        origin.begin(on: connection)
    }

    private func serveWaiting() {
        while !waiting.isEmpty, let connection = best { begin(waiting.removeFirst(), on: connection) }
        dialIfNeeded()
        if isClosed { drain() }
    }

    // MARK: Connecting

    private func dialIfNeeded() {
        guard dial == nil, greeting == nil, !waiting.isEmpty else { return }
        dial = pool.dialChannel { [self] result in
            dial = nil
            switch result {
            case .success(let channel): greet(on: channel)
            case .failure(let error): dialFailed(.targetUnreachable, pool.explain(error))
            }
        }
    }

    private func greet(on channel: Channel) {
        let timer = loop.schedule(after: .seconds(limits.targetConnectSecondsMax)) {
            channel.abort(.timedOut("its greeting"))
        }
        greeting = (HTTP2Connection.client(channel, owner: self, settings: settings), timer)
    }

    /// No further connection is to be had: who waits makes do with those that there are.
    private func dialFailed(_ reason: OriginFailure.Reason, _ explanation: String) {
        let left = waiting
        waiting = []
        let rest = entries.lazy.map(\.connection).filter(\.mayBegin).min { $0.openStreamCount < $1.openStreamCount }
        for origin in left {
            if let rest { begin(origin, on: rest) } else { origin.failed(reason, explanation) }
        }
    }

    // MARK: Idling

    private func sweepLater() {
        guard !isSweepScheduled, !entries.isEmpty else { return }
        isSweepScheduled = true
        loop.schedule(after: .seconds(limits.idleTargetSecondsMax) / 2) { [self] in sweep() }
    }

    private func sweep() {
        isSweepScheduled = false
        let oldest = loop.now - .seconds(limits.idleTargetSecondsMax)
        for index in entries.indices where entries[index].connection.openStreamCount > 0 { entries[index].usedAt = loop.now }
        for entry in entries where entry.usedAt < oldest { entry.connection.drain() }
        sweepLater()
    }
}

extension SharedConnections: HTTP2ClientOwner {
    func connectionReady(_ connection: HTTP2Connection) {}

    func connectionSettled(_ connection: HTTP2Connection) {
        guard let greeting, greeting.connection === connection else { return }
        loop.cancel(greeting.timer)
        self.greeting = nil
        entries.append(Entry(connection: connection, usedAt: loop.now))
        sweepLater()
        serveWaiting()
    }

    func connectionGoingAway(_ connection: HTTP2Connection, errorCode: UInt32, debugData: [UInt8]) {
        // What the server had not begun comes back as refused, and is sent again on the next connection.
    }

    func connectionClosed(_ connection: HTTPConnection, error: ChannelError?) {
        entries.removeAll { $0.connection === connection }
        guard let greeting, greeting.connection === connection else { return }
        loop.cancel(greeting.timer)
        self.greeting = nil
        let why = error.map { "\($0)" } ?? "it closed the connection"
        dialFailed(
            .badResponse,
            "\(target) does not speak HTTP/2 without TLS (h2c): \(why). If it is a server of HTTP/1.1, write its target as "
                + "http://HOST:PORT")
    }
}
