import LinuxIO
import Synchronization

/// Sockets that listen already when the service starts; those that nobody takes are closed.
final class ListeningSockets: Sendable {
    private struct Offered {
        var address: SocketAddress
        var number: Int32
    }

    private let sockets = Mutex<[Offered]>([])

    deinit { for socket in sockets.withLock({ $0 }) { _ = FileDescriptor(number: socket.number) } }

    /// Offers a socket; one that has no address of the internet is closed.
    func offer(_ descriptor: consuming FileDescriptor) {
        guard let address = try? Socket.localAddress(descriptor.number) else { return }
        let number = descriptor.release()
        sockets.withLock { $0.append(Offered(address: address, number: number)) }
    }

    /// Whether one of the addresses is among them.
    func has(anyOf addresses: [SocketAddress]) -> Bool {
        sockets.withLock { sockets in sockets.contains { addresses.contains($0.address) } }
    }

    /// The socket that listens at the address, which is the caller's from now on.
    func take(_ address: SocketAddress) -> FileDescriptor? {
        let number: Int32? = sockets.withLock { sockets in
            sockets.firstIndex { $0.address == address }.map { sockets.remove(at: $0).number }
        }
        return number.map { FileDescriptor(number: $0) }
    }
}
