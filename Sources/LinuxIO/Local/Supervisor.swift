internal import CLinux
internal import Glibc

/// The program that starts and watches a service, as systemd does: what it gives, and what it is told.
package enum Supervisor {
    /// The first of the descriptors that it gives (sd_listen_fds(3)).
    private static let firstDescriptor: Int32 = 3
    private static let descriptorCountMax: Int32 = 253

    /// The listening sockets that were given to this process, by what the environment says; each is the caller's.
    package static func sockets(environment: [String: String]) -> [Int32] {
        guard environment["LISTEN_PID"] == "\(getpid())", let count = environment["LISTEN_FDS"].flatMap({ Int32($0) }),
            (1...descriptorCountMax).contains(count)
        else { return [] }
        return (firstDescriptor..<firstDescriptor + count).filter { number in
            let flags = fcntl(number, F_GETFL)
            guard flags >= 0, fcntl(number, F_SETFL, flags | O_NONBLOCK) == 0 else { return false }
            return fcntl(number, F_SETFD, FD_CLOEXEC) == 0
        }
    }

    /// Tells it how the service is, in the words of sd_notify(3); nothing happens when nobody wants to know.
    package static func tell(_ state: String, environment: [String: String]) {
        guard let path = environment["NOTIFY_SOCKET"], let first = path.first, first == "/" || first == "@" else { return }
        let number = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard number >= 0 else { return }
        let descriptor = FileDescriptor(number: number)
        let isConnected =
            first == "@" ? culvert_connect_abstract(number, path) == 0 : culvert_connect_local(number, path) == 0
        guard isConnected else { return }
        _ = Array(state.utf8).withUnsafeBytes { Socket.send(descriptor.number, $0) }
    }

    /// What a service says when it serves: which process is the one to watch, whoever was it before.
    package static var ready: String { "READY=1\nMAINPID=\(getpid())" }
    package static let stopping = "STOPPING=1"
}
