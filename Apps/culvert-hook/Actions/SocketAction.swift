import HTTPTransport
import LinuxIO
import TunnelDomain
import TunnelWire

/// Tells a program that listens on a Unix socket, such as `culvert-rpc --notify-socket`: one JSON-RPC 2.0 message for each
/// attempt, on a connection of its own.
struct SocketAction: HookAction {
    let config: SocketConfig
    let timeout: Duration
    let loop: EventLoop

    func perform(_ job: HookJob, stop: HookStop) async -> ActionOutcome {
        await stop.outcome(within: timeout) {
            let id = config.isNotification ? nil : 1
            let line = RPCMessage.line(for: job, method: config.method, id: id)
            return await tell(line, isAnswered: !config.isNotification)
        }
    }

    private func tell(_ line: [UInt8], isAnswered: Bool) async -> ActionOutcome {
        let cord = RipCord<SocketCall>()
        let path = config.path
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isTaken = loop.execute { loop in
                    let call = SocketCall(line, isAnswered: isAnswered) { continuation.resume(returning: $0) }
                    guard cord.attach(LoopBound(call, on: loop)) else { return call.cancel() }
                    call.begin(at: path, on: loop)
                }
                if !isTaken { continuation.resume(returning: ActionOutcome(verdict: .failure, detail: "the loop has ended")) }
            }
        } onCancel: { [loop] in
            cord.pull(loop)
        }
    }
}

/// One message and its answer, on the loop.
private final class SocketCall: ChannelHandler, LoopCall {
    /// Bytes of an answer; a longer one is none.
    private static let answerByteCountMax = 1 << 20

    private let line: [UInt8]
    private let isAnswered: Bool
    private var completion: ((ActionOutcome) -> Void)?
    private var channel: Channel?
    private var unread: [UInt8] = []

    init(_ line: [UInt8], isAnswered: Bool, completion: @escaping (ActionOutcome) -> Void) {
        self.line = line
        self.isAnswered = isAnswered
        self.completion = completion
    }

    func begin(at path: String, on loop: Loop) {
        do {
            channel = try Channel.connect(toSocketAt: path, on: loop, handler: self)
        } catch {
            complete(ActionOutcome(verdict: .failure, detail: "nobody listens at \(path): \(error)"))
        }
    }

    func cancel() {
        complete(ActionOutcome(verdict: .failure, detail: "given up"))
        channel?.abort(.aborted("the caller has given up"))
    }

    private func complete(_ outcome: ActionOutcome) {
        completion?(outcome)
        completion = nil
    }

    // MARK: ChannelHandler

    func channelOpened() {
        channel?.write(line)
        // It closes when the line has gone out.
        if !isAnswered { channel?.close() }
    }

    func channelReceived(_ bytes: Span<UInt8>) {
        bytes.withUnsafeBufferPointer { unread.append(contentsOf: $0) }
        while let newline = unread.firstIndex(of: UInt8(ascii: "\n")) {
            let line = Array(unread[..<newline])
            unread.removeFirst(newline + 1)
            // An error without a number is the other end's word about the connection, such as that it has no room.
            guard let answer = RPCMessage.answer(in: line) else { continue }
            complete(answer.outcome)
            channel?.close()
            return
        }
        if unread.count > Self.answerByteCountMax { channel?.abort(.aborted("the answer is too long")) }
    }

    func channelReachedEnd() { channel?.close() }
    func channelDrained() {}

    func channelClosed(_ error: ChannelError?) {
        channel = nil
        if let error { return complete(ActionOutcome(verdict: .failure, detail: "\(error)")) }
        guard isAnswered else { return complete(ActionOutcome(verdict: .success, detail: "sent")) }
        complete(ActionOutcome(verdict: .failure, detail: "the other end hung up without an answer"))
    }
}
