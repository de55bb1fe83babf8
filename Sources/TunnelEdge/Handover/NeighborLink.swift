internal import HTTPTransport
internal import LinuxIO

/// One connection to the neighbor: HTTP/2, in clear text over a local socket.
final class NeighborLink {
    private enum Phase {
        case opening([ForwardedExchange])
        case open(HTTP2Connection)
        case over
    }

    private var phase = Phase.opening([])
    private var channel: Channel?
    private let whenOver: () -> Void

    init(whenOver: @escaping () -> Void) { self.whenOver = whenOver }

    func open(_ descriptor: consuming FileDescriptor, on loop: Loop) {
        do {
            channel = try Channel.accepted(descriptor, from: .loopback(port: 0), on: loop, tls: nil, handler: self)
        } catch {
            end()
        }
    }

    func carry(_ exchange: ForwardedExchange) {
        switch phase {
        case .opening(var waiting):
            waiting.append(exchange)
            phase = .opening(waiting)
        case .open(let connection): exchange.begin(on: connection)
        case .over: exchange.begin(on: nil)
        }
    }

    private func end() {
        let ended = phase
        phase = .over
        channel = nil
        whenOver()
        if case .opening(let waiting) = ended { for exchange in waiting { exchange.begin(on: nil) } }
    }

    /// What both ends of a link promise: more than any client may, because what comes here was let in already.
    static var settings: HTTP2Settings {
        var settings = HTTP2Settings()
        settings.concurrentStreamsMax = 16_384
        settings.headerListByteCountMax = 2 * 1024 * 1024
        settings.headerFieldCountMax = 2_100
        settings.sentHeaderListByteCountMax = 2 * 1024 * 1024
        settings.resetsBurstMax = .max
        settings.offersExtendedConnect = true
        return settings
    }
}

extension NeighborLink: ChannelHandler {
    func channelOpened() {
        guard let channel, case .opening(let waiting) = phase else { return }
        let connection = HTTP2Connection.client(channel, owner: self, settings: Self.settings)
        phase = .open(connection)
        for exchange in waiting { exchange.begin(on: connection) }
    }

    func channelReceived(_ bytes: Span<UInt8>) {}
    func channelReachedEnd() { channel?.close() }
    func channelDrained() {}
    /// Only before HTTP/2 has taken the channel over.
    func channelClosed(_ error: ChannelError?) { end() }
}

extension NeighborLink: HTTP2ClientOwner {
    func connectionReady(_ connection: HTTP2Connection) {}
    func connectionGoingAway(_ connection: HTTP2Connection, errorCode: UInt32, debugData: [UInt8]) {
        phase = .over
        whenOver()
    }
    func connectionClosed(_ connection: HTTPConnection, error: ChannelError?) { end() }
}
