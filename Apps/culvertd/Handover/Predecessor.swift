import LinuxIO
import Synchronization
import TunnelDomain
import TunnelEdge
import TunnelWire

/// The process that serves the data directory at present, to the one that takes over from it.
final class Predecessor: Sendable {
    /// What it hands over.
    struct Estate: Sendable {
        /// The lock of the data directory.
        var lock: Int32
        var listeners: ListeningSockets
        /// Tunnels whose agents it has.
        var tunnels: [TunnelID]
        var process: Int32
    }

    private struct State {
        var tunnels: [TunnelID] = []
        var answer: Result<Estate?, Complaint>?
        var waiter: CheckedContinuation<Result<Estate?, Complaint>, Never>?
        var edge: Edge?
        var isGone = false
    }

    private let connection: LocalConnection
    private let state = Mutex(State())

    private init(_ connection: LocalConnection) { self.connection = connection }

    /// Nil when nobody serves the directory, or somebody who does not speak of taking over.
    static func find(directory: String) -> Predecessor? {
        guard let descriptor = try? LocalSocket.connect(to: directory + "/" + HandoverDoor.fileName),
            let connection = LocalConnection(descriptor), connection.isTrusted
        else { return nil }
        return Predecessor(connection)
    }

    /// Asks for everything; returns when nothing there writes to the store any more. Nil when the process has ended instead.
    ///
    /// - Parameter secondsMax: a process that has not answered by then is not waited for.
    func takeOver(on loop: EventLoop, secondsMax: Int) async throws -> Estate? {
        connection.listen(on: loop) { [self] in
            heard($0)
        } ended: { [self] in
            ended()
        }
        connection.send(HandoverMessage.ask(version: ServiceLife.version).bytes)
        loop.execute { [self] loop in
            loop.schedule(after: .seconds(secondsMax)) {
                let who = "the culvertd that runs (process \(self.processID))"
                self.answer(.failure(Complaint("\(who) does not answer; stop it first")))
            }
        }
        let answer = await withCheckedContinuation { continuation in
            let known = state.withLock { state in
                if state.answer == nil { state.waiter = continuation }
                return state.answer
            }
            if let known { continuation.resume(returning: known) }
        }
        return try answer.get()
    }

    private var processID: Int32 { connection.peerProcessID }

    private func answer(_ answer: Result<Estate?, Complaint>) {
        let waiter = state.withLock { state in
            guard state.answer == nil else { return nil as CheckedContinuation<Result<Estate?, Complaint>, Never>? }
            state.answer = answer
            let waiter = state.waiter
            state.waiter = nil
            return waiter
        }
        waiter?.resume(returning: answer)
    }

    private func heard(_ message: LocalConnection.Message) {
        switch HandoverMessage(message.bytes) {
        case .refuse(let reason): answer(.failure(complaint(reason)))
        case .serving(let tunnels): state.withLock { $0.tunnels += tunnels }
        case .give(let count): take(message.descriptors, count)
        case .requests(let host):
            guard let edge = state.withLock({ $0.edge }), let link = message.descriptors.take(0) else { return }
            edge.accept(link: link, for: .requests(host: host))
        case .left(let tunnel): state.withLock { $0.edge }?.agentLeftPredecessor(tunnel)
        // What a successor says, or a later version.
        case .ask, .served, .replies, nil: break
        }
    }

    private func take(_ descriptors: ReceivedDescriptors, _ listenerCount: Int) {
        guard descriptors.count == listenerCount + 1, let lock = descriptors.take(0) else {
            return answer(.failure(Complaint("process \(processID) handed over something else than it said; stop it first")))
        }
        let listeners = ListeningSockets()
        for index in 1..<descriptors.count {
            if let descriptor = descriptors.take(index) { listeners.offer(descriptor) }
        }
        let tunnels = state.withLock { $0.tunnels }
        answer(.success(Estate(lock: lock.release(), listeners: listeners, tunnels: tunnels, process: processID)))
    }

    private func complaint(_ reason: String) -> Complaint {
        let what =
            switch reason {
            case "busy": "another process is about to take over from it already; try again when that is done"
            case "ending": "it is about to end; try again"
            case "foreignVersion": "it is of another version, which cannot hand over to this one; stop it first"
            case "late": "this one took longer to start than takeover_seconds allow"
            default: "it says “\(reason)”; stop it first"
            }
        return Complaint("the culvertd that runs (process \(processID)) does not hand over: \(what)")
    }

    private func ended() {
        answer(.success(nil))
        let edge = state.withLock { state in
            state.isGone = true
            return state.edge
        }
        if let edge { Task { await edge.predecessorEnded() } }
    }

    /// Lets the edge wait for the other process's agents, and answer for it; to be called before the edge serves.
    func join(_ edge: Edge, agentsOf tunnels: [TunnelID]) async {
        let neighbor = Neighbor { [connection] message, descriptors in
            connection.send(message.bytes, descriptors: descriptors)
        }
        await edge.follow(neighbor, agentsOf: tunnels)
        let isGone = state.withLock { state in
            state.edge = edge
            return state.isGone
        }
        if isGone { await edge.predecessorEnded() }
    }

    /// Says that this process serves: from now on the other one finishes what it has begun, and no more.
    func dismiss() { connection.send(HandoverMessage.served.bytes) }
}
