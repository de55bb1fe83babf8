package import LinuxIO

/// Where new connections go, by the name that they ask for. It is the resident of its loop.
package protocol ConnectionPlacement: AnyObject {
    /// The loop that connections for this host (SNI or Host, lower case) should live on; nil for no preference.
    func door(forHost host: String?) -> EventLoop?
    /// Takes a connection that has arrived on this loop, or was sent here by another loop's `door`.
    func open(_ connection: consuming NewConnection)
    /// Whether another connection may be taken; otherwise it is closed at once.
    func admits(_ peer: SocketAddress) -> Bool
    /// An admitted connection ended before it was opened.
    func released()
}

/// What a listening socket is for.
package enum ListenerPurpose: Sendable, Hashable {
    case tls
    case clearText
    /// Clear text that only sends clients to the TLS listener.
    case redirect
}

/// An accepted connection of which not a byte has been consumed.
package struct NewConnection: ~Copyable {
    package let descriptor: FileDescriptor
    package let peer: SocketAddress
    package let purpose: ListenerPurpose
    /// The name that the client asks for, by SNI or Host, in lower case; nil if it names none.
    package let host: String?
    /// The client begins with the HTTP/2 preface in clear text.
    package let isHTTP2Preface: Bool

    package init(
        descriptor: consuming FileDescriptor, peer: SocketAddress, purpose: ListenerPurpose, host: String?,
        isHTTP2Preface: Bool
    ) {
        self.descriptor = descriptor
        self.peer = peer
        self.purpose = purpose
        self.host = host
        self.isHTTP2Preface = isHTTP2Preface
    }

    consuming func takeDescriptor() -> Int32 { descriptor.release() }
}

/// Accepts connections of one listening socket on one loop; siblings on other loops share the socket.
package final class HTTPListener: IOHandler {
    private static let acceptsPerTurnMax = 64
    private static let exhaustedPause: Duration = .milliseconds(200)

    private let loop: Loop
    private let descriptor: Int32
    private let purpose: ListenerPurpose
    private let arrivalSecondsMax: Int
    private let placement: any ConnectionPlacement
    private var registration: IORegistration?
    private var isClosed = false

    /// - Parameter descriptor: stays the caller's, who closes it after every listener on it was closed.
    package init(
        descriptor: Int32, purpose: ListenerPurpose, arrivalSecondsMax: Int, on loop: Loop, placement: any ConnectionPlacement
    ) throws(IOError) {
        self.loop = loop
        self.descriptor = descriptor
        self.purpose = purpose
        self.arrivalSecondsMax = arrivalSecondsMax
        self.placement = placement
        registration = try loop.register(descriptor, trigger: .levelShared, handler: self)
    }

    /// Accepts no more.
    package func close() {
        isClosed = true
        if let registration { loop.deregister(registration, descriptor) }
        registration = nil
    }

    package func ioReady(_ readiness: IOReadiness) {
        for _ in 0..<HTTPListener.acceptsPerTurnMax {
            switch Socket.accept(descriptor) {
            case .accepted(let descriptor, let peer):
                guard placement.admits(peer) else { continue }
                Arrival.begin(descriptor, peer, purpose, on: loop, placement, secondsMax: arrivalSecondsMax)
            case .vanished: continue
            case .none: return
            case .exhausted: return pause()
            }
        }
    }

    /// Out of descriptors: connections under way go on, new ones wait in the kernel's queue.
    private func pause() {
        guard let registration else { return }
        loop.deregister(registration, descriptor)
        self.registration = nil
        loop.schedule(after: HTTPListener.exhaustedPause) { [weak self] in
            guard let self, !self.isClosed, self.registration == nil else { return }
            self.registration = try? self.loop.register(self.descriptor, trigger: .levelShared, handler: self)
        }
    }
}
