package import LinuxIO
package import TLS

/// What a server's connections share.
package struct HTTPServerSettings: Sendable {
    package var http1 = HTTP1Settings()
    package var http2 = HTTP2Settings()
    /// Seconds that a TLS handshake may take.
    package var handshakeSecondsMax = 10

    package init() {}
}

/// A new connection until it is known which HTTP it speaks; then that protocol takes the channel over.
package final class HTTPServerChannel: ChannelHandler {
    private let settings: HTTPServerSettings
    private let handler: any HTTPServerHandler
    private let isHTTP2Preface: Bool
    private let context: AnyObject?
    private var channel: Channel?
    private var timer: TimerID?

    private init(_ settings: HTTPServerSettings, _ handler: any HTTPServerHandler, isHTTP2Preface: Bool, context: AnyObject?) {
        self.settings = settings
        self.handler = handler
        self.isHTTP2Preface = isHTTP2Preface
        self.context = context
    }

    /// Serves the connection on the loop. `context` goes to the `HTTPConnection`.
    ///
    /// - Parameter tls: nil for a connection in clear text.
    package static func open(
        _ connection: consuming NewConnection, on loop: Loop, tls: TLSContext?, settings: HTTPServerSettings,
        handler: any HTTPServerHandler, context: AnyObject?
    ) {
        let opening = HTTPServerChannel(
            settings, handler, isHTTP2Preface: connection.isHTTP2Preface, context: context)
        let peer = connection.peer
        guard
            let channel = try? Channel.accepted(
                FileDescriptor(number: connection.takeDescriptor()), from: peer, on: loop, tls: tls, handler: opening)
        else { return handler.connectionFailed(context, error: nil) }
        opening.begin(on: channel)
    }

    /// Serves a TLS connection that comes over the bridge; its first bytes may come when this has returned.
    package static func open(
        overBridge stream: HTTPStream, framing: TCPBridgeFraming, from peer: SocketAddress, on loop: Loop, tls: TLSContext,
        settings: HTTPServerSettings, handler: any HTTPServerHandler, context: AnyObject?
    ) {
        let opening = HTTPServerChannel(settings, handler, isHTTP2Preface: false, context: context)
        let link = BridgeLink(stream, framing: framing, loop: loop)
        guard let channel = try? Channel.accepted(over: link, from: peer, on: loop, tls: tls, handler: opening) else {
            link.close(isAborting: true)
            return handler.connectionFailed(context, error: nil)
        }
        opening.begin(on: channel)
    }

    private func begin(on channel: Channel) {
        self.channel = channel
        timer = channel.loop.schedule(after: .seconds(settings.handshakeSecondsMax)) {
            if channel.isOpen { return }
            channel.abort(.timedOut("the TLS handshake"))
        }
    }

    package func channelOpened() {
        guard let channel else { return }
        if let timer { channel.loop.cancel(timer) }
        let isHTTP2 = channel.applicationProtocol == "h2" || (!channel.isTLS && isHTTP2Preface)
        let connection: HTTPConnection =
            isHTTP2
            ? HTTP2Connection.serve(channel, handler: handler, settings: settings.http2)
            : HTTP1ServerConnection.serve(channel, handler: handler, settings: settings.http1)
        connection.context = context
        handler.connectionOpened(connection)
        self.channel = nil
    }

    package func channelReceived(_ bytes: Span<UInt8>) {}
    package func channelReachedEnd() { channel?.close() }
    package func channelDrained() {}

    package func channelClosed(_ error: ChannelError?) {
        if let channel, let timer { channel.loop.cancel(timer) }
        channel = nil
        handler.connectionFailed(context, error: error)
    }
}
