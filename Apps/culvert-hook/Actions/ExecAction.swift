import FileStorage
import LinuxIO
import Synchronization
import TunnelDomain
import TunnelWire

/// Starts a program: its words as they are, never through a shell; the payload on its standard input.
struct ExecAction: HookAction {
    let config: ExecConfig
    let timeout: Duration

    /// How long a program of an earlier attempt may take to be gone.
    private static let clearing: Duration = .seconds(10)

    func perform(_ job: HookJob, stop: HookStop) async -> ActionOutcome {
        let environment: [String: String]
        switch variables(for: job) {
        case .success(let variables): environment = variables
        case .failure(let flaw): return ActionOutcome(verdict: .finalFailure, detail: flaw.text)
        }
        var user: ChildUser?
        if let name = config.user {
            user = ChildUser(named: name)
            guard user != nil else { return ActionOutcome(verdict: .failure, detail: "this machine has no user \(name)") }
        }
        let lock: ProcessLock
        switch await Self.lock(job.lockPath) {
        case .taken(let taken): lock = taken
        case .held: return ActionOutcome(verdict: .failure, detail: "a program of an earlier attempt cannot be ended")
        }
        let command = ChildCommand(
            path: config.command[0], arguments: config.command, environment: environment, directory: config.directory ?? "/",
            user: user)
        let outcome = await run(command, input: job.event.body, lock: lock, stop: stop)
        return outcome
    }

    private struct Flaw: Error { var text: String }

    private func variables(for job: HookJob) -> Result<[String: String], Flaw> {
        let json = try? JSONValue(parsing: job.event.body)
        var variables = [
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOOK_ROUTE": job.route.name,
            "HOOK_EVENT_ID": "\(job.event.id)", "HOOK_RUN_ID": "\(job.runID)", "HOOK_ATTEMPT": "\(job.attempt)",
            "HOOK_DELIVERY_ID": job.event.deliveryID ?? "",
        ]
        for variable in config.environment { variables[variable.name] = job.value(of: variable.source, json: json) }
        for (name, value) in variables where value.utf8.contains(0) {
            return .failure(Flaw(text: "\(name) would have a NUL in it, which no environment can hold"))
        }
        return .success(variables)
    }

    private enum Lock { case taken(ProcessLock), held }

    /// Takes the run's lock, after ending whoever still holds it. It waits, so it has a thread of its own.
    private static func lock(_ path: String) async -> Lock {
        await withCheckedContinuation { continuation in
            let isStarted = BlockingThread.start {
                if let lock = ProcessLock.take(path) { return continuation.resume(returning: .taken(lock)) }
                guard ProcessLock.clear(path, within: clearing), let lock = ProcessLock.take(path) else {
                    return continuation.resume(returning: .held)
                }
                continuation.resume(returning: .taken(lock))
            }
            if !isStarted { continuation.resume(returning: .held) }
        }
    }

    private func run(_ command: ChildCommand, input: [UInt8], lock: ProcessLock, stop: HookStop) async -> ActionOutcome {
        let output = BoundedOutput(byteCountMax: config.outputByteCountMax)
        let limits = ChildSession.Limits(timeout: timeout, killGrace: config.killGrace)
        let path = lock.path
        let end: ChildEnd = await withCheckedContinuation { continuation in
            let session = ChildSession.start(command, limits: limits, lock: lock) {
                output.append($0)
            } ended: {
                continuation.resume(returning: $0)
            }
            guard let session else { return continuation.resume(returning: .notStarted("no thread or descriptor is free")) }
            session.send(input)
            session.closeInput()
            stop.whenAsked { _ in session.stop() }
        }
        // Descendants that left the process group still hold the lock: they end with the run.
        await withCheckedContinuation { continuation in
            let isStarted = BlockingThread.start {
                lock.release()
                _ = ProcessLock.clear(path, within: Self.clearing)
                continuation.resume()
            }
            if !isStarted { continuation.resume() }
        }
        if case .stopped = end {
            var outcome = (stop.reason ?? .cancelled).outcome
            outcome.output = output.bytes
            return outcome
        }
        return outcome(of: end, output: output.bytes)
    }

    private func outcome(of end: ChildEnd, output: [UInt8]) -> ActionOutcome {
        switch end {
        case .exited(code: 0): ActionOutcome(verdict: .success, detail: "exit 0", output: output)
        case .exited(let code):
            ActionOutcome(
                verdict: config.finalExitCodes.contains(Int(code)) ? .finalFailure : .failure, detail: "exit \(code)",
                output: output)
        case .signalled(let signal): ActionOutcome(verdict: .failure, detail: "signal \(signal)", output: output)
        case .timedOut: ActionOutcome(verdict: .failure, detail: "timed out, killed", output: output)
        case .stopped: ActionOutcome(verdict: .failure, detail: "stopped", output: output)
        case .notStarted(let why): ActionOutcome(verdict: .failure, detail: "could not be started: \(why)")
        }
    }
}

/// Keeps the first bytes of what a program writes and counts the rest.
final class BoundedOutput: Sendable {
    private struct State {
        var bytes: [UInt8] = []
        var droppedByteCount = 0
    }

    private let byteCountMax: Int
    private let state = Mutex(State())

    init(byteCountMax: Int) { self.byteCountMax = byteCountMax }

    func append(_ bytes: [UInt8]) {
        state.withLock { state in
            let room = max(0, byteCountMax - state.bytes.count)
            state.bytes += bytes.prefix(room)
            state.droppedByteCount += max(0, bytes.count - room)
        }
    }

    var bytes: [UInt8] {
        state.withLock { state in
            guard state.droppedByteCount > 0 else { return state.bytes }
            return state.bytes + Array("\n[\(state.droppedByteCount) more bytes]\n".utf8)
        }
    }
}
