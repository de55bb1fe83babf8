package import LinuxIO
package import TLS

/// Why a connection ended other than by both sides finishing.
package enum ChannelError: Error, Hashable, Sendable, CustomStringConvertible {
    case io(IOError)
    case tls(TLSError)
    /// The peer closed before what was under way was complete.
    case closedByPeer
    /// We gave up waiting; the text names what for.
    case timedOut(String)
    /// We ended it ourselves; the text says why.
    case aborted(String)

    package var description: String {
        switch self {
        case .io(let error): "\(error)"
        case .tls(let error): "\(error)"
        case .closedByPeer: "the peer closed the connection"
        case .timedOut(let what): "timed out waiting for \(what)"
        case .aborted(let why): why
        }
    }
}
