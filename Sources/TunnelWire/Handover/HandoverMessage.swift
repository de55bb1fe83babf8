package import TunnelDomain

/// What two services say to each other while one takes over from the other, one message each, over a local socket.
///
/// A message is words of visible ASCII with a space between; descriptors travel beside it. What a later version adds has
/// another first word, which this one does not understand and skips.
package enum HandoverMessage: Hashable, Sendable {
    /// The successor wants to take over.
    case ask(version: Int)
    /// It cannot; the reason is one of the domain's.
    case refuse(String)
    /// Tunnels whose agents are connected to the predecessor; comes before `give`, as often as it takes.
    case serving([TunnelID])
    /// The store is the successor's. The lock of the data directory and so many listening sockets travel beside it.
    case give(listenerCount: Int)
    /// The successor serves.
    case served
    /// A connection travels beside it, for requests to this host: HTTP/2 in clear text, which begins now.
    case requests(host: String)
    /// The same, for replies to requests of one of the receiver's loops.
    case replies(loop: Int)
    /// An agent of this tunnel has left the predecessor.
    case left(TunnelID)

    /// Tunnels in one message.
    package static let tunnelCountMax = 1_000
    private static let byteCountMax = 64 * 1024

    /// The message as it travels.
    package var bytes: [UInt8] {
        let words: [String] =
            switch self {
            case .ask(let version): ["ask", String(version)]
            case .refuse(let reason): ["refuse", reason]
            case .serving(let tunnels): ["serving"] + tunnels.map(\.text)
            case .give(let count): ["give", String(count)]
            case .served: ["served"]
            case .requests(let host): ["requests", host]
            case .replies(let loop): ["replies", String(loop)]
            case .left(let tunnel): ["left", tunnel.text]
            }
        return Array(words.joined(separator: " ").utf8)
    }

    /// Reads a message; nil when it is none that this version knows.
    package init?(_ bytes: [UInt8]) {
        guard bytes.count <= Self.byteCountMax, bytes.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) else { return nil }
        let words = String(decoding: bytes, as: UTF8.self).split(separator: " ", omittingEmptySubsequences: false)
        let rest = words.dropFirst().map(String.init)
        switch words.first {
        case "ask":
            guard rest.count == 1, let version = Int(rest[0]) else { return nil }
            self = .ask(version: version)
        case "refuse":
            guard rest.count == 1, !rest[0].isEmpty else { return nil }
            self = .refuse(rest[0])
        case "serving":
            let tunnels = rest.compactMap { TunnelID($0) }
            guard tunnels.count == rest.count, tunnels.count <= Self.tunnelCountMax else { return nil }
            self = .serving(tunnels)
        case "give":
            guard rest.count == 1, let count = Int(rest[0]), count >= 0 else { return nil }
            self = .give(listenerCount: count)
        case "served" where rest.isEmpty: self = .served
        case "requests":
            guard rest.count == 1, !rest[0].isEmpty else { return nil }
            self = .requests(host: rest[0])
        case "replies":
            guard rest.count == 1, let loop = Int(rest[0]), loop >= 0 else { return nil }
            self = .replies(loop: loop)
        case "left":
            guard rest.count == 1, let tunnel = TunnelID(rest[0]) else { return nil }
            self = .left(tunnel)
        default: return nil
        }
    }
}
