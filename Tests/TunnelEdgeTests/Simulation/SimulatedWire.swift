import Glibc
import HTTPTransport
import LinuxIO
import TunnelDomain

/// One connection of the simulation, whose bytes move when the simulation says so, and as many as it says.
final class SimulatedWire {
    enum Direction: Int, CaseIterable { case toEdge, toClient }

    /// Both ends of each half: the socket that a peer uses, and the wire's own.
    private struct Half {
        var outer: Int32
        var inner: Int32
    }

    private let client: Half
    private let edge: Half
    /// What the receiver's socket had no room for.
    private var pending: [[UInt8]] = [[], []]
    private var hasEnded = [false, false]
    private(set) var isCut = false

    init() throws {
        client = try Self.makeHalf()
        edge = try Self.makeHalf()
    }

    private static func makeHalf() throws -> Half {
        var pair: [Int32] = [-1, -1]
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, kind, 0, &pair) == 0 else { throw IOError(code: errno, operation: "socketpair") }
        return Half(outer: pair[0], inner: pair[1])
    }

    deinit { cut() }

    /// The socket of the client's end; whoever takes it closes it.
    var clientDescriptor: FileDescriptor { FileDescriptor(number: client.outer) }
    var edgeDescriptor: FileDescriptor { FileDescriptor(number: edge.outer) }

    /// Both ends see the connection break, and what was on its way is lost.
    func cut() {
        guard !isCut else { return }
        isCut = true
        close(client.inner)
        close(edge.inner)
    }

    /// Whether bytes, or an end, are on their way in a direction.
    func isBusy(_ direction: Direction) -> Bool {
        guard !isCut else { return true }
        var byte: UInt8 = 0
        let source = direction == .toEdge ? client.inner : edge.inner
        return !pending[direction.rawValue].isEmpty || recv(source, &byte, 1, Int32(MSG_PEEK)) >= 0 || errno != EAGAIN
    }

    /// Moves so many bytes at most; the number that moved.
    func move(_ direction: Direction, upTo byteCountMax: Int) -> Int {
        guard !isCut else { return 0 }
        let (source, target) =
            direction == .toEdge ? (client.inner, edge.inner) : (edge.inner, client.inner)
        take(from: source, direction, upTo: byteCountMax)
        let sent = pending[direction.rawValue].withUnsafeBytes { bytes in
            guard !bytes.isEmpty else { return 0 }
            let count = send(target, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
            if count < 0, errno == EAGAIN { return 0 }
            // What is sent to a socket that is gone is lost; it must not keep its sender from learning of that.
            return count < 0 ? bytes.count : count
        }
        pending[direction.rawValue].removeFirst(sent)
        if hasEnded[direction.rawValue], pending[direction.rawValue].isEmpty { shutdown(target, Int32(SHUT_WR)) }
        return sent
    }

    private func take(from source: Int32, _ direction: Direction, upTo byteCountMax: Int) {
        guard pending[direction.rawValue].isEmpty, !hasEnded[direction.rawValue] else { return }
        var outcome = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: min(byteCountMax, 64 * 1024)) { buffer, count in
            outcome = recv(source, buffer.baseAddress, buffer.count, 0)
            count = max(0, outcome)
        }
        if outcome > 0 {
            pending[direction.rawValue] = bytes
        } else if outcome == 0 || errno != EAGAIN {
            hasEnded[direction.rawValue] = true
        }
    }
}
