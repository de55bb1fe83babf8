internal import Glibc

/// One end of a local connection: messages go out from any thread, and come in on a loop.
package final class LocalConnection: Sendable {
    package struct Message: Sendable {
        package var bytes: [UInt8]
        package var descriptors: ReceivedDescriptors
    }

    private let descriptor: FileDescriptor
    /// The user and the process at the other end.
    package let peerUserID: UInt32
    package let peerProcessID: Int32

    /// Nil when the kernel does not say who is at the other end.
    package init?(_ descriptor: consuming FileDescriptor) {
        guard let peer = LocalSocket.peer(of: descriptor.number) else { return nil }
        self.descriptor = descriptor
        peerUserID = peer.userID
        peerProcessID = peer.processID
    }

    /// Whether the process at the other end belongs to this one's user, or to the superuser.
    package var isTrusted: Bool { peerUserID == getuid() || peerUserID == 0 }

    /// Sends a message with copies of the descriptors; false when the other end is gone or reads nothing.
    @discardableResult
    package func send(_ bytes: [UInt8], descriptors: [Int32] = []) -> Bool {
        (try? LocalSocket.send(bytes, descriptors: descriptors, on: descriptor.number)) != nil
    }

    /// Says that nothing more comes; the other end hears that this one has ended.
    package func close() { _ = shutdown(descriptor.number, Int32(SHUT_RDWR)) }

    /// Hears every message on the loop, and once that the other end is gone.
    package func listen(
        on loop: EventLoop, _ heard: @escaping @Sendable (Message) -> Void, ended: @escaping @Sendable () -> Void
    ) {
        let isTaken = loop.execute { [self] loop in
            let ear = LocalEar(connection: self, loop: loop, heard: heard, ended: ended)
            ear.register(descriptor.number)
        }
        if !isTaken { ended() }
    }

    fileprivate func receive() -> LocalSocket.Receipt { LocalSocket.receive(on: descriptor.number) }
    fileprivate var number: Int32 { descriptor.number }
}

private final class LocalEar: IOHandler {
    private let connection: LocalConnection
    private let loop: Loop
    private let heard: @Sendable (LocalConnection.Message) -> Void
    private let ended: @Sendable () -> Void
    private var registration: IORegistration?

    init(
        connection: LocalConnection, loop: Loop, heard: @escaping @Sendable (LocalConnection.Message) -> Void,
        ended: @escaping @Sendable () -> Void
    ) {
        self.connection = connection
        self.loop = loop
        self.heard = heard
        self.ended = ended
    }

    func register(_ number: Int32) {
        registration = try? loop.register(number, handler: self)
        if registration == nil { ended() }
    }

    func ioReady(_ readiness: IOReadiness) {
        while true {
            switch connection.receive() {
            case .message(let bytes, let descriptors):
                heard(LocalConnection.Message(bytes: bytes, descriptors: descriptors))
            case .wouldBlock: return
            case .ended, .failed: return leave()
            }
        }
    }

    private func leave() {
        guard let registration else { return }
        loop.deregister(registration, connection.number)
        self.registration = nil
        ended()
    }
}

/// A place where local connections arrive, until it is let go of.
package final class LocalListener: Sendable {
    private let descriptor: FileDescriptor

    /// Listens at the path, in place of whoever did before.
    package init(at path: String) throws(IOError) { descriptor = try LocalSocket.listen(at: path) }

    /// Hands over every connection, on the loop.
    package func accept(on loop: EventLoop, _ arrived: @escaping @Sendable (LocalConnection) -> Void) {
        loop.execute { [self] loop in
            let door = LocalDoor(listener: self, loop: loop, arrived: arrived)
            door.register(descriptor.number)
        }
    }

    fileprivate func next() -> FileDescriptor? { LocalSocket.accept(descriptor.number) }
}

private final class LocalDoor: IOHandler {
    private let listener: LocalListener
    private let arrived: @Sendable (LocalConnection) -> Void
    private let loop: Loop

    init(listener: LocalListener, loop: Loop, arrived: @escaping @Sendable (LocalConnection) -> Void) {
        self.listener = listener
        self.loop = loop
        self.arrived = arrived
    }

    func register(_ number: Int32) { _ = try? loop.register(number, handler: self) }

    func ioReady(_ readiness: IOReadiness) {
        while let descriptor = listener.next() {
            if let connection = LocalConnection(descriptor) { arrived(connection) }
        }
    }
}
