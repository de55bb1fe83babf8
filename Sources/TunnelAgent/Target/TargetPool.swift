internal import HTTPTransport
internal import LinuxIO
internal import TunnelDomain

/// Connections to the target that wait for their next request.
final class TargetPool {
    let target: AgentTarget
    private let loop: Loop
    private let limits: AgentLimits
    /// The address that worked last stands first.
    private var addresses: [TargetAddress]
    private var idle: [(connection: HTTP1ClientConnection, since: MonotonicInstant)] = []
    private var isSweepScheduled = false
    private var isClosed = false

    init(target: AgentTarget, addresses: [TargetAddress], limits: AgentLimits, loop: Loop) {
        self.target = target
        self.addresses = addresses
        self.limits = limits
        self.loop = loop
    }

    /// An idle connection, the one that was used last; nil when there is none.
    func takeIdle() -> HTTP1ClientConnection? {
        while let last = idle.popLast() {
            if last.connection.isIdle { return last.connection }
        }
        return nil
    }

    /// Connects anew; the completion is called once, on the loop, unless the dial is cancelled.
    func dial(_ completion: @escaping (Result<HTTP1ClientConnection, ChannelError>) -> Void) -> TargetDial {
        dialChannel { [self] in completion($0.map { HTTP1ClientConnection.client($0, owner: self) }) }
    }

    /// The same for whoever speaks something else there.
    func dialChannel(_ completion: @escaping (Result<Channel, ChannelError>) -> Void) -> TargetDial {
        let dial = TargetDial(
            pool: self, addresses: addresses, loop: loop, secondsMax: limits.targetConnectSecondsMax, completion)
        dial.begin()
        return dial
    }

    /// Why a dial has failed, and what to do.
    func explain(_ error: ChannelError) -> String {
        if case .io(let error) = error {
            if error.isConnectionRefused { return "nothing listens on \(target); start the program there" }
            if error.isNotFound { return "there is no socket \(target); start the program that makes it" }
            if error.isPermissionDenied {
                return "\(target) may not be used: permission denied. Run the agent as a user who may write to the socket, "
                    + "such as a member of its group"
            }
        }
        return "\(target) cannot be reached: \(error)"
    }

    func reached(_ address: TargetAddress) {
        guard addresses.first != address, let index = addresses.firstIndex(of: address) else { return }
        addresses.swapAt(0, index)
    }

    /// Closes what is idle, and from now on whatever becomes so.
    func close() {
        isClosed = true
        for entry in idle { entry.connection.drain() }
        idle = []
    }

    private func sweepLater() {
        guard !isSweepScheduled, !idle.isEmpty else { return }
        isSweepScheduled = true
        loop.schedule(after: .seconds(limits.idleTargetSecondsMax) / 2) { [self] in sweep() }
    }

    private func sweep() {
        isSweepScheduled = false
        let oldest = loop.now - .seconds(limits.idleTargetSecondsMax)
        let expired = idle.prefix { $0.since < oldest }
        idle.removeFirst(expired.count)
        for entry in expired { entry.connection.drain() }
        sweepLater()
    }
}

extension TargetPool: HTTP1ClientOwner {
    func connectionIdle(_ connection: HTTP1ClientConnection) {
        guard !isClosed, idle.count < limits.idleTargetConnectionsMax else { return connection.drain() }
        idle.append((connection, loop.now))
        sweepLater()
    }

    func connectionClosed(_ connection: HTTPConnection, error: ChannelError?) {
        idle.removeAll { $0.connection === connection }
    }
}

/// One attempt to connect to the target, over its addresses in turn.
final class TargetDial: ChannelHandler {
    private let pool: TargetPool
    private var addresses: ArraySlice<TargetAddress>
    private let loop: Loop
    private let secondsMax: Int
    private var completion: ((Result<Channel, ChannelError>) -> Void)?
    /// The one that is tried.
    private var address: TargetAddress?
    private var channel: Channel?
    private var timer: TimerID?
    private var lastError = ChannelError.aborted("it has no address")

    init(
        pool: TargetPool, addresses: [TargetAddress], loop: Loop, secondsMax: Int,
        _ completion: @escaping (Result<Channel, ChannelError>) -> Void
    ) {
        self.pool = pool
        self.addresses = addresses[...]
        self.loop = loop
        self.secondsMax = secondsMax
        self.completion = completion
    }

    func begin() {
        timer = loop.schedule(after: .seconds(secondsMax)) { [self] in timedOut() }
        tryNext()
    }

    func cancel() {
        completion = nil
        stop()
        channel?.abort(.aborted("not wanted any more"))
        channel = nil
    }

    private func tryNext() {
        while let address = addresses.popFirst() {
            do {
                self.address = address
                channel = try connect(to: address)
                return
            } catch {
                lastError = error
            }
        }
        complete(.failure(lastError))
    }

    private func connect(to address: TargetAddress) throws(ChannelError) -> Channel {
        switch address {
        case .ip(let address): try Channel.connect(to: address, on: loop, tls: nil, serverName: nil, handler: self)
        case .unixSocket(let path): try Channel.connect(toSocketAt: path, on: loop, handler: self)
        }
    }

    private func timedOut() {
        addresses = []
        channel?.abort(.timedOut("a connection for \(secondsMax) s"))
    }

    private func stop() {
        if let timer { loop.cancel(timer) }
        timer = nil
    }

    private func complete(_ result: Result<Channel, ChannelError>) {
        stop()
        completion?(result)
        completion = nil
    }

    func channelOpened() {
        guard let channel, completion != nil else { return }
        if let address { pool.reached(address) }
        self.channel = nil
        complete(.success(channel))
    }

    func channelReceived(_ bytes: Span<UInt8>) {}
    func channelReachedEnd() { channel?.close() }
    func channelDrained() {}

    func channelClosed(_ error: ChannelError?) {
        channel = nil
        guard completion != nil else { return }
        lastError = error ?? .closedByPeer
        tryNext()
    }
}
