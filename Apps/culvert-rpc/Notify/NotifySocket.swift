internal import Glibc
internal import LinuxIO
internal import Synchronization
internal import TunnelProfile
internal import TunnelWire

/// A Unix socket, open to this user only, on which other programs tell the client what has happened.
final class NotifySocket: Sendable {
    private let path: String
    private let loop: EventLoop
    /// The file that this process has made; another process may have put its own in the place since.
    private let made: FileIdentity?

    /// Listens at the path, in place of whoever did before.
    ///
    /// - Throws: when something that is no socket has the place, or the socket cannot be made.
    init(
        at path: String, limits: Limits, forward: @escaping @Sendable (ForeignEvent) throws -> Void
    ) throws(ProfileFlaw) {
        if let there = FileIdentity(path), !there.isSocket {
            throw ProfileFlaw("\(Printable.text(path)) is no socket; give --notify-socket another path")
        }
        self.path = path
        do {
            loop = try EventLoop()
            let descriptor = try LocalSocket.listen(at: path, for: .bytes).release()
            made = FileIdentity(path)
            loop.execute { loop in
                let door = NotifyDoor(FileDescriptor(number: descriptor), loop, limits, NotifyFront(forward: forward))
                loop.resident = door
                door.open()
            }
        } catch {
            throw ProfileFlaw(
                "the notify socket \(Printable.text(path)) cannot be made: \(error)",
                advice: "Its folder must be there, and be yours to write to.")
        }
    }

    /// Takes no more events, and takes the file away if it still is this one.
    func close() {
        loop.stop()
        if let made, FileIdentity(path) == made { unlink(path) }
    }
}

/// Which file has a path.
private struct FileIdentity: Hashable {
    private let device: UInt
    private let inode: UInt
    let isSocket: Bool

    /// Nil when there is none.
    init?(_ path: String) {
        var status = stat()
        guard lstat(path, &status) == 0 else { return nil }
        device = status.st_dev
        inode = status.st_ino
        isSocket = status.st_mode & S_IFMT == S_IFSOCK
    }
}

/// Lets programs in, so many at a time.
private final class NotifyDoor: IOHandler {
    private let descriptor: FileDescriptor
    private unowned let loop: Loop
    private let limits: Limits
    private let front: NotifyFront
    private var registration: IORegistration?
    private var visitors: [ObjectIdentifier: NotifyConnection] = [:]

    init(_ descriptor: consuming FileDescriptor, _ loop: Loop, _ limits: Limits, _ front: NotifyFront) {
        self.descriptor = descriptor
        self.loop = loop
        self.limits = limits
        self.front = front
    }

    func open() { registration = try? loop.register(descriptor.number, handler: self) }

    func ioReady(_ readiness: IOReadiness) {
        while let visitor = LocalSocket.accept(descriptor.number) {
            let connection = NotifyConnection(visitor, loop, limits, front) { [weak self] in self?.visitors[$0] = nil }
            guard visitors.count < limits[.notifyConnections] else {
                connection.refuse("\(visitors.count) programs are connected already; --limit notify-connections=N allows more")
                continue
            }
            visitors[ObjectIdentifier(connection)] = connection
            connection.open()
        }
    }
}

/// One program that tells what has happened.
private final class NotifyConnection: IOHandler {
    private let descriptor: FileDescriptor
    private unowned let loop: Loop
    private let outbox = Outbox()
    private let session: Session
    private let ended: (ObjectIdentifier) -> Void
    private var reader: JSONRPCStreamReader
    private var registration: IORegistration?

    init(
        _ descriptor: consuming FileDescriptor, _ loop: Loop, _ limits: Limits, _ front: NotifyFront,
        ended: @escaping (ObjectIdentifier) -> Void
    ) {
        self.descriptor = descriptor
        self.loop = loop
        self.ended = ended
        session = Session(limits: limits, front: front) { [outbox] in outbox.add($0) }
        reader = JSONRPCStreamReader(limits: limits.wire)
    }

    func open() {
        registration = try? loop.register(descriptor.number, handler: self)
        if registration == nil { leave() }
    }

    /// Says why there is no room, to whoever reads it.
    func refuse(_ why: String) {
        let message = JSONRPCMessage.response(id: .null, .failure(RPCFailure.overloaded(why))).json
        outbox.add(JSONRPCFraming.lines.frame(message))
        _ = send()
    }

    func ioReady(_ readiness: IOReadiness) {
        guard registration != nil else { return }
        while true {
            switch Socket.receive(descriptor.number, into: loop.scratch) {
            case .moved(let byteCount):
                reader.receive([UInt8](loop.scratch[..<byteCount]).span)
            case .wouldBlock: return
            case .ended, .failed:
                reader.finish()
                hear()
                return leave()
            }
            hear()
            // Who does not read the answers is not heard any more.
            guard send() else { return leave() }
        }
    }

    private func hear() {
        while let event = reader.next() { session.receive(event, framing: reader.framing ?? .lines) }
    }

    private func send() -> Bool {
        let bytes = outbox.take()
        var sent = 0
        while sent < bytes.count {
            let step = bytes.withUnsafeBytes { Socket.send(descriptor.number, UnsafeRawBufferPointer(rebasing: $0[sent...])) }
            guard case .moved(let byteCount) = step else { return false }
            sent += byteCount
        }
        return true
    }

    private func leave() {
        _ = send()
        if let registration { loop.deregister(registration, descriptor.number) }
        registration = nil
        ended(ObjectIdentifier(self))
    }
}

/// Answers that are not sent yet.
private final class Outbox: Sendable {
    private let bytes = Mutex<[UInt8]>([])

    func add(_ more: [UInt8]) { bytes.withLock { $0 += more } }

    func take() -> [UInt8] {
        bytes.withLock { bytes in
            defer { bytes = [] }
            return bytes
        }
    }
}
