internal import LinuxIO
package import TunnelWire

/// The other process of a hand-over, as this one reaches it.
package struct Neighbor: Sendable {
    /// Sends a message, with copies of these descriptors; false when the process is gone.
    package let send: @Sendable (HandoverMessage, [Int32]) -> Bool

    package init(send: @escaping @Sendable (HandoverMessage, [Int32]) -> Bool) { self.send = send }
}

/// The connections from one loop to the neighbor: one for each host, or for each loop of the other side.
final class NeighborLinks {
    /// A loop opens no more connections than this; what would need another one is refused.
    static let countMax = 1_024

    let neighbor: Neighbor
    private let loop: Loop
    private var links: [HandoverMessage: NeighborLink] = [:]

    init(_ neighbor: Neighbor, on loop: Loop) {
        self.neighbor = neighbor
        self.loop = loop
    }

    /// Sends an exchange where the message says that the connection leads; it is refused when there is no way.
    func carry(_ exchange: ForwardedExchange, by purpose: HandoverMessage) {
        guard let link = links[purpose] ?? open(purpose) else { return exchange.begin(on: nil) }
        link.carry(exchange)
    }

    private func open(_ purpose: HandoverMessage) -> NeighborLink? {
        guard links.count < Self.countMax, let ends = try? LocalSocket.pair() else { return nil }
        let near = FileDescriptor(number: ends.near)
        let far = FileDescriptor(number: ends.far)
        guard neighbor.send(purpose, [far.number]) else { return nil }
        let link = NeighborLink { [weak self] in self?.links[purpose] = nil }
        links[purpose] = link
        link.open(near, on: loop)
        return link
    }
}
