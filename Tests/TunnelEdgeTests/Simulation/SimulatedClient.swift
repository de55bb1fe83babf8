@testable import HTTPTransport
import LinuxIO
import TestSupport
import TunnelDomain
import TunnelWire

/// The client's end of a simulated connection, before and while it speaks HTTP.
class SimulatedClient: ChannelHandler, HTTP2ClientOwner, HTTP1ClientOwner {
    let wire: SimulatedWire
    let isHTTP2: Bool
    private(set) var channel: Channel?
    private(set) var http2: HTTP2Connection?
    private(set) var http1: HTTP1ClientConnection?
    /// Set when the connection has ended, or this end has.
    private(set) var isOver = false
    /// The code and the text of a GOAWAY.
    private(set) var goodbye: (code: UInt32, text: String)?

    /// What it lets one stream send before it has read it; nil for as much as our own clients do.
    private let windowByteCount: Int?

    init(_ wire: SimulatedWire, isHTTP2: Bool, windowByteCount: Int? = nil, on loop: Loop) throws {
        self.wire = wire
        self.windowByteCount = windowByteCount
        self.isHTTP2 = isHTTP2
        channel = try Channel.accepted(
            wire.clientDescriptor, from: .loopback(port: 0), on: loop, tls: nil, handler: self)
    }

    /// Ends the connection without a word.
    func abort() {
        isOver = true
        channel?.abort(.aborted("the simulation wants it"))
    }

    /// Ends the connection in good order.
    func close() { channel?.close() }

    /// Whether bytes are taken off the wire: a client that froze takes none.
    var isFrozen = false {
        didSet { isFrozen ? channel?.pauseReading() : channel?.resumeReading() }
    }

    func channelOpened() {
        guard let channel else { return }
        if isHTTP2 {
            var settings = HTTP2Settings()
            settings.headerFieldCountMax = 200
            // A client that gave up by itself when the network stood still would end requests that nobody else has ended.
            settings.writeStallSecondsMax = 100_000
            if let windowByteCount {
                settings.streamWindowByteCount = windowByteCount
                settings.widenedByteCountMax = 0
            }
            http2 = HTTP2Connection.client(channel, owner: self, settings: settings)
        } else {
            http1 = HTTP1ClientConnection.client(channel, owner: self)
        }
    }

    func channelReceived(_ bytes: Span<UInt8>) {}
    func channelReachedEnd() {}
    func channelDrained() {}
    func channelClosed(_ error: ChannelError?) { over() }

    func connectionReady(_ connection: HTTP2Connection) {}
    func connectionIdle(_ connection: HTTP1ClientConnection) {}
    func connectionGoingAway(_ connection: HTTP2Connection, errorCode: UInt32, debugData: [UInt8]) {
        goodbye = (errorCode, String(decoding: debugData, as: UTF8.self))
    }
    func connectionClosed(_ connection: HTTPConnection, error: ChannelError?) { over() }

    private func over() {
        isOver = true
        (channel, http1, http2) = (nil, nil, nil)
    }
}

/// Bytes that say which request they belong to.
func simulatedBody(of number: Int, byteCount: Int) -> [UInt8] {
    let start = number &* 31 % 50_000
    return Array(pattern[start..<start + byteCount])
}

private let pattern: [UInt8] = {
    var generator = SeededGenerator(seed: 1)
    return (0..<300_000).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
}()
