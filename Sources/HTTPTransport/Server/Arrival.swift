internal import LinuxIO
internal import Synchronization
internal import TunnelDomain
internal import TunnelWire

/// A connection between accept and its first protocol: looks at its first bytes, without taking them, to find its loop.
final class Arrival: IOHandler {
    private static let peekByteCountMax = ClientHelloReader.byteCountMax

    private let loop: Loop
    private var descriptor: Int32
    private let peer: SocketAddress
    private let purpose: ListenerPurpose
    private let placement: any ConnectionPlacement
    private var registration: IORegistration?
    private var timer: TimerID?

    private init(
        _ descriptor: consuming FileDescriptor, _ peer: SocketAddress, _ purpose: ListenerPurpose, _ loop: Loop,
        _ placement: any ConnectionPlacement
    ) {
        self.descriptor = descriptor.release()
        self.peer = peer
        self.purpose = purpose
        self.loop = loop
        self.placement = placement
    }

    static func begin(
        _ descriptor: consuming FileDescriptor, _ peer: SocketAddress, _ purpose: ListenerPurpose, on loop: Loop,
        _ placement: any ConnectionPlacement, secondsMax: Int
    ) {
        let arrival = Arrival(descriptor, peer, purpose, loop, placement)
        arrival.registration = try? loop.register(arrival.descriptor, handler: arrival)
        guard arrival.registration != nil else { return arrival.drop() }
        arrival.timer = loop.schedule(after: .seconds(secondsMax)) { arrival.drop() }
    }

    deinit { if descriptor >= 0 { _ = FileDescriptor(number: descriptor) } }

    func ioReady(_ readiness: IOReadiness) {
        let buffer = UnsafeMutableRawBufferPointer(rebasing: loop.scratch[..<Arrival.peekByteCountMax])
        switch Socket.receive(descriptor, into: buffer, peek: true) {
        case .wouldBlock: return
        case .ended, .failed: drop()
        case .moved(let count):
            let bytes = UnsafeRawBufferPointer(rebasing: buffer[..<count])
            look(bytes.bindMemory(to: UInt8.self).span, isHungUp: !readiness.isDisjoint(with: .hungUp))
        }
    }

    private func look(_ bytes: Span<UInt8>, isHungUp: Bool) {
        let sight = purpose == .tls ? ArrivalSight.ofClientHello(bytes) : ArrivalSight.ofPlainHead(bytes)
        switch sight {
        case .undecided:
            // A client that has shut its side sends no more: what there is must do.
            if isHungUp || bytes.count >= Arrival.peekByteCountMax { hand(over: nil, isPreface: false) }
        case .host(let host, let isPreface): hand(over: host, isPreface: isPreface)
        }
    }

    private func hand(over host: String?, isPreface: Bool) {
        let door = placement.door(forHost: host)
        let number = leave()
        let connection = NewConnection(
            descriptor: FileDescriptor(number: number), peer: peer, purpose: purpose, host: host, isHTTP2Preface: isPreface)
        guard let door, door !== loop.door else { return placement.open(connection) }
        let parcel = ArrivalParcel(connection)
        door.execute { loop in
            guard let connection = parcel.take(), let placement = loop.resident as? any ConnectionPlacement else { return }
            placement.open(connection)
        }
    }

    private func drop() {
        guard descriptor >= 0 else { return }
        _ = FileDescriptor(number: leave())
        placement.released()
    }

    private func leave() -> Int32 {
        if let registration { loop.deregister(registration, descriptor) }
        if let timer { loop.cancel(timer) }
        registration = nil
        let number = descriptor
        descriptor = -1
        return number
    }
}

/// A new connection on its way to its loop.
private final class ArrivalParcel: Sendable {
    private let content: Mutex<NewConnection?>

    init(_ connection: consuming NewConnection) { content = Mutex(connection) }

    func take() -> NewConnection? {
        content.withLock { content in
            let connection = consume content
            content = nil
            return connection
        }
    }
}
