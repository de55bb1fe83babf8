import HTTPTransport
import LinuxIO
import TunnelEdge

/// Where traffic comes in.
struct Listeners {
    private struct Opened {
        var descriptor: Int32
        var purpose: ListenerPurpose
        var address: SocketAddress
    }

    private var sockets: [Opened] = []

    /// Opens every listening socket of the settings; nothing is served yet.
    ///
    /// - Parameter offered: sockets that listen already, of the process before this one or of the supervisor: one whose
    ///   address is wanted is used, the others are closed.
    init(settings: SettingValues, offered: ListeningSockets = ListeningSockets()) throws {
        for address in settings.listening(.https) { try open(address, for: .tls, offered) }
        for address in settings.listening(.http) {
            // Tunnels and keys in clear text never leave this machine.
            try open(address, for: address.ip.isLoopback ? .clearText : .redirect, offered)
        }
        guard !sockets.isEmpty else {
            throw Complaint("there is nothing to listen on; give --https ADDRESS:PORT, such as --https 127.0.0.1:8443")
        }
    }

    /// The sockets, to be sent to the process that takes over.
    var descriptors: [Int32] { sockets.map(\.descriptor) }

    private mutating func open(_ address: SocketAddress, for purpose: ListenerPurpose, _ offered: ListeningSockets) throws {
        if let descriptor = offered.take(address) {
            return sockets.append(Opened(descriptor: descriptor.release(), purpose: purpose, address: address))
        }
        do throws(IOError) {
            let descriptor = try Socket.listen(on: address)
            let bound = try Socket.localAddress(descriptor.number)
            sockets.append(Opened(descriptor: descriptor.release(), purpose: purpose, address: bound))
        } catch {
            throw Complaint("cannot listen on \(address): \(Self.advice(on: error, address))")
        }
    }

    private static func advice(on error: IOError, _ address: SocketAddress) -> String {
        if error.isAddressInUse { return "another program uses this port; stop it or choose another port" }
        if error.isPermissionDenied {
            return "port \(address.port) needs a privilege; choose a port from 1024 up, or grant CAP_NET_BIND_SERVICE"
        }
        return "\(error); give an address of this machine"
    }

    /// The port that clients reach with this purpose, or nil.
    func port(for purpose: ListenerPurpose) -> UInt16? { sockets.first { $0.purpose == purpose }?.address.port }

    /// Closes the sockets, so that new connections are refused at once.
    func close() { for socket in sockets { _ = FileDescriptor(number: socket.descriptor) } }

    /// Serves on all of them.
    func serve(with edge: Edge, log: ServiceLog) async throws {
        for socket in sockets {
            try await edge.listen(on: socket.descriptor, for: socket.purpose)
            log.note("listener.opened", [("address", "\(socket.address)"), ("for", Self.text(socket.purpose))], level: .info)
        }
    }

    private static func text(_ purpose: ListenerPurpose) -> String {
        switch purpose {
        case .tls: "https"
        case .clearText: "http"
        case .redirect: "redirect"
        }
    }
}
