import LinuxIO
import Synchronization
import TunnelDomain
import TunnelEdge
import TunnelWire

/// Where processes come that want to take over: a socket in the data directory that only its owner can reach.
final class HandoverDoor: Sendable {
    static let fileName = "handover.sock"

    private struct State {
        var visitors: [Int: LocalConnection] = [:]
        var lastVisitor = 0
    }

    private let listener: LocalListener
    private let loop: EventLoop
    private let edge: Edge
    private let state = Mutex(State())
    private let tell: @Sendable (ServiceLife.Event) -> Void

    /// Opens the door, in place of the door of the process before this one.
    init(
        directory: String, edge: Edge, on loop: EventLoop, tell: @escaping @Sendable (ServiceLife.Event) -> Void
    ) throws {
        do throws(IOError) {
            listener = try LocalListener(at: directory + "/" + Self.fileName)
        } catch {
            throw Complaint("cannot listen on \(directory)/\(Self.fileName): \(error); is the file system a local one?")
        }
        self.edge = edge
        self.loop = loop
        self.tell = tell
        listener.accept(on: loop) { [self] in arrived($0) }
    }

    private func arrived(_ visitor: LocalConnection) {
        guard visitor.isTrusted else { return visitor.close() }
        let number = state.withLock { state in
            state.lastVisitor += 1
            state.visitors[state.lastVisitor] = visitor
            return state.lastVisitor
        }
        visitor.listen(on: loop) { [self] in
            heard($0, from: number)
        } ended: { [self] in
            state.withLock { _ = $0.visitors.removeValue(forKey: number) }
            tell(.lost(successor: number))
        }
    }

    private func heard(_ message: LocalConnection.Message, from number: Int) {
        switch HandoverMessage(message.bytes) {
        case .ask(let version): tell(.asked(successor: number, version: version))
        case .served: tell(.served(successor: number))
        case .replies(let loop):
            if let link = message.descriptors.take(0) { edge.accept(link: link, for: .replies(loop: loop)) }
        // What a predecessor says, or a later version.
        case .refuse, .serving, .give, .requests, .left, nil: break
        }
    }

    /// Sends a message to a process that has asked; false when it is gone.
    @discardableResult
    func send(_ message: HandoverMessage, descriptors: [Int32] = [], to number: Int) -> Bool {
        state.withLock { $0.visitors[number] }?.send(message.bytes, descriptors: descriptors) ?? false
    }

    /// The process as the edge reaches it.
    func neighbor(_ number: Int) -> Neighbor {
        Neighbor { [self] message, descriptors in send(message, descriptors: descriptors, to: number) }
    }

    /// Tells every process that this one has ended.
    func close() { for visitor in state.withLock({ $0.visitors.values }) { visitor.close() } }
}
