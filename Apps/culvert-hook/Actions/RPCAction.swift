import FileStorage
import LinuxIO
import Synchronization
import TunnelDomain
import TunnelWire

/// Calls a method of a JSON-RPC 2.0 program that is kept running: one message a line, on its standard input and output.
final class RPCAction: HookAction {
    private struct State {
        var session: ChildSession?
        var generation = 0
        var nextID = 1
        var calls: [Int: CheckedContinuation<ActionOutcome, Never>] = [:]
        var unread: [UInt8] = []
    }

    /// A line that is longer ends the program: nothing of it can be kept.
    private static let lineByteCountMax = 4 << 20
    /// Bytes that a program has not read, past which calls fail.
    private static let unsentByteCountMax = 16 << 20

    private let config: RPCConfig
    private let timeout: Duration
    private let lockPath: String
    private let state = Mutex(State())
    /// Held while the program is being started.
    private let starting = Mutex(())

    init(config: RPCConfig, timeout: Duration, lockPath: String) {
        self.config = config
        self.timeout = timeout
        self.lockPath = lockPath
    }

    deinit { state.withLock { $0.session }?.stop() }

    func perform(_ job: HookJob, stop: HookStop) async -> ActionOutcome {
        guard let session = await runningSession() else {
            return ActionOutcome(verdict: .failure, detail: "the program cannot be started")
        }
        guard session.unsentByteCount <= Self.unsentByteCountMax else {
            return ActionOutcome(verdict: .failure, detail: "the program does not read")
        }
        let number = state.withLock { state in
            defer { state.nextID += 1 }
            return state.nextID
        }
        let message = RPCMessage.line(for: job, method: config.method, id: config.isNotification ? nil : number)
        if config.isNotification {
            session.send(message)
            return ActionOutcome(verdict: .success, detail: "sent")
        }
        var timer: Task<Void, Never>?
        defer { timer?.cancel() }
        return await withCheckedContinuation { continuation in
            let isRunning = state.withLock { state in
                guard state.session === session else { return false }
                state.calls[number] = continuation
                return true
            }
            guard isRunning else {
                return continuation.resume(returning: ActionOutcome(verdict: .failure, detail: "the program ended"))
            }
            session.send(message)
            // Only now, when there is a call that can be ended.
            stop.whenAsked { self.end(number, $0.outcome) }
            timer = Task { [timeout] in
                guard (try? await Task.sleep(for: timeout)) != nil else { return }
                self.end(number, ActionOutcome(verdict: .failure, detail: "no answer in time"))
            }
        }
    }

    /// The program, started when it does not run. That may wait for the end of an earlier one, so it has a thread of its own.
    private func runningSession() async -> ChildSession? {
        if let session = state.withLock({ $0.session }) { return session }
        return await withCheckedContinuation { continuation in
            let isStarted = BlockingThread.start { continuation.resume(returning: self.start()) }
            if !isStarted { continuation.resume(returning: nil) }
        }
    }

    private func start() -> ChildSession? {
        starting.withLock { _ in
            if let session = state.withLock({ $0.session }) { return session }
            // An earlier process's program must be gone before another one begins.
            guard ProcessLock.clear(lockPath), let lock = ProcessLock.take(lockPath) else { return nil }
            return state.withLock { start(&$0, lock) }
        }
    }

    private func start(_ state: inout State, _ lock: ProcessLock) -> ChildSession? {
        state.generation += 1
        let generation = state.generation
        let command = ChildCommand(
            path: config.command[0], arguments: config.command,
            environment: Dictionary(config.environment.map { ($0.name, $0.value) }) { $1 }.merging(
                ["PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]) { own, _ in own },
            directory: config.directory ?? "/")
        state.unread = []
        state.session = ChildSession.start(command, limits: ChildSession.Limits(timeout: nil), lock: lock) { [weak self] in
            self?.received($0)
        } ended: { [weak self] end in
            self?.ended(generation, end)
        }
        return state.session
    }

    private func received(_ bytes: [UInt8]) {
        let (lines, tooLong) = state.withLock { state -> ([[UInt8]], ChildSession?) in
            state.unread += bytes
            var lines: [[UInt8]] = []
            while let newline = state.unread.firstIndex(of: UInt8(ascii: "\n")) {
                lines.append(Array(state.unread[..<newline]))
                state.unread.removeFirst(newline + 1)
            }
            return (lines, state.unread.count > Self.lineByteCountMax ? state.session : nil)
        }
        for line in lines { answered(line) }
        tooLong?.stop()
    }

    /// Takes an answer; what is none, such as a log line, is passed over.
    private func answered(_ line: [UInt8]) {
        guard let answer = RPCMessage.answer(in: line), let number = answer.id else { return }
        end(number, answer.outcome)
    }

    private func end(_ number: Int, _ outcome: ActionOutcome) {
        state.withLock { $0.calls.removeValue(forKey: number) }?.resume(returning: outcome)
    }

    private func ended(_ generation: Int, _ end: ChildEnd) {
        let calls = state.withLock { state -> [CheckedContinuation<ActionOutcome, Never>] in
            guard state.generation == generation else { return [] }
            state.session = nil
            defer { state.calls = [:] }
            return Array(state.calls.values)
        }
        for call in calls { call.resume(returning: ActionOutcome(verdict: .failure, detail: "the program ended: \(end)")) }
    }
}
