internal import CLinux
internal import Glibc
internal import Synchronization
internal import TunnelDomain

/// A running program: bytes go to its standard input, and what it writes to standard output and error comes back.
///
/// Each has a thread of its own, with which it would die: the kernel kills a child whose starting thread ends. It leads a
/// process group, and what is left of the group when it ends is killed, so that nothing of it goes on unseen.
package final class ChildSession: Sendable {
    package struct Limits: Sendable, Hashable {
        /// From the start to the end; nil for none.
        package var timeout: Duration?
        /// Between the polite signal, SIGTERM, and SIGKILL.
        package var killGrace: Duration

        package init(timeout: Duration?, killGrace: Duration = .seconds(5)) {
            self.timeout = timeout
            self.killGrace = killGrace
        }
    }

    private struct Mailbox: ~Copyable {
        var input: [UInt8] = []
        var isInputClosed = false
        var isStopping = false
    }

    private let mailbox = Mutex(Mailbox())
    private let wake: FileDescriptor

    private init(wake: consuming FileDescriptor) { self.wake = wake }

    /// Starts the program on a new thread.
    ///
    /// - Parameters:
    ///   - lock: a lock that the program and all its descendants hold for as long as one of them lives.
    ///   - output: called on the session's thread with what the program wrote.
    ///   - ended: called once on the session's thread, at last.
    package static func start(
        _ command: ChildCommand, limits: Limits, lock: ProcessLock? = nil, output: @escaping @Sendable ([UInt8]) -> Void,
        ended: @escaping @Sendable (ChildEnd) -> Void
    ) -> ChildSession? {
        let number = eventfd(0, Int32(EFD_NONBLOCK | EFD_CLOEXEC))
        guard number >= 0 else { return nil }
        let session = ChildSession(wake: FileDescriptor(number: number))
        let isStarted = BlockingThread.start {
            let end = session.serve(command, limits, lock, output)
            ended(end)
        }
        return isStarted ? session : nil
    }

    /// Sends bytes to the program's standard input; they wait until the program reads them.
    package func send(_ bytes: [UInt8]) { post { $0.input += bytes } }

    /// Lets the program see the end of its input once it has read what was sent.
    package func closeInput() { post { $0.isInputClosed = true } }

    /// Tells the program to stop, and kills it and its group when it does not.
    package func stop() { post { $0.isStopping = true } }

    /// Bytes that the program has not read yet.
    package var unsentByteCount: Int { mailbox.withLock { $0.input.count } }

    private func post(_ change: (inout Mailbox) -> Void) {
        mailbox.withLock { change(&$0) }
        var one: UInt64 = 1
        _ = write(wake.number, &one, 8)
    }
}

// MARK: - On the session's thread

extension ChildSession {
    private func serve(
        _ command: ChildCommand, _ limits: Limits, _ lock: ProcessLock?, _ output: (([UInt8]) -> Void)
    ) -> ChildEnd {
        guard let input = Self.pipe(), let results = Self.pipe() else { return .notStarted("no descriptor is free") }
        var failure: Int32 = 0
        let id = Self.spawn(command, input: input.0, output: results.1, kept: lock?.descriptor ?? -1, &failure)
        close(input.0)
        close(results.1)
        guard id > 0 else {
            close(input.1)
            close(results.0)
            return .notStarted(String(cString: strerror(failure)))
        }
        _ = fcntl(input.1, F_SETFL, O_NONBLOCK)
        _ = fcntl(results.0, F_SETFL, O_NONBLOCK)
        var child = Child(id: id, input: input.1, output: results.0, watch: culvert_pidfd(id))
        let cause = attend(&child, limits, output)
        // Whatever else is in the group, it is over now.
        kill(-id, SIGKILL)
        var status: Int32 = 0
        while waitpid(id, &status, 0) < 0, errno == EINTR {}
        child.read(output)
        child.closeAll()
        if let cause { return cause }
        let signal = culvert_exit_signal(status)
        return signal != 0 ? .signalled(signal) : .exited(code: culvert_exit_status(status))
    }

    /// Moves bytes until the program has ended; nil when it ended by itself.
    private func attend(_ child: inout Child, _ limits: Limits, _ output: ([UInt8]) -> Void) -> ChildEnd? {
        var deadline = limits.timeout.map { Loop.readClock() + $0 }
        var cause: ChildEnd?
        while true {
            let isStopping = exchangeInput(&child)
            if cause == nil, isStopping {
                cause = .stopped
                kill(-child.id, SIGTERM)
                deadline = Loop.readClock() + limits.killGrace
            }
            var events = child.events(wake: wake.number)
            let wait = deadline.map { Int32(clamping: ($0 - Loop.readClock()).wholeMicroseconds / 1000 + 1) } ?? -1
            let count = poll(&events, nfds_t(events.count), max(-1, deadline == nil ? -1 : max(0, wait)))
            if count < 0, errno != EINTR { return cause }
            var counter: UInt64 = 0
            _ = Glibc.read(wake.number, &counter, 8)
            child.read(output)
            if events[1].revents != 0 { return cause }
            if let limit = deadline, Loop.readClock() >= limit {
                guard cause == nil else { return cause }
                cause = .timedOut
                kill(-child.id, SIGTERM)
                deadline = Loop.readClock() + limits.killGrace
            }
        }
    }

    /// Writes what waits as far as the program takes it; says whether it should stop.
    private func exchangeInput(_ child: inout Child) -> Bool {
        mailbox.withLock { box in
            child.write(&box.input)
            child.wantsInput = !box.input.isEmpty
            if box.isInputClosed, box.input.isEmpty { child.closeInput() }
            return box.isStopping
        }
    }

    private static func pipe() -> (Int32, Int32)? {
        var ends: (Int32, Int32) = (-1, -1)
        let result = withUnsafeMutablePointer(to: &ends) { pointer in
            pointer.withMemoryRebound(to: Int32.self, capacity: 2) { culvert_blocking_pipe($0) }
        }
        return result == 0 ? ends : nil
    }

    private static func spawn(
        _ command: ChildCommand, input: Int32, output: Int32, kept: Int32, _ failure: inout Int32
    ) -> Int32 {
        let arguments = CStrings(command.arguments)
        let environment = CStrings(command.environment.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" })
        let groups = command.user?.groups ?? []
        return command.path.withCString { path in
            groups.withUnsafeBufferPointer { groups in
                func spawn(_ directory: UnsafePointer<CChar>?) -> Int32 {
                    var child = culvert_child(
                        path: path, arguments: arguments.pointer, environment: environment.pointer, directory: directory,
                        input: input, output: output, errors: output, kept: kept, has_user: command.user == nil ? 0 : 1,
                        user: command.user?.id ?? 0, group: command.user?.group ?? 0, groups: groups.baseAddress,
                        group_count: Int32(groups.count))
                    return culvert_spawn(&child, &failure)
                }
                return command.directory.map { $0.withCString { spawn($0) } } ?? spawn(nil)
            }
        }
    }
}

/// The child as its thread sees it.
private struct Child {
    let id: Int32
    var input: Int32
    let output: Int32
    let watch: Int32
    var wantsInput = false
    private var isOutputOpen = true

    init(id: Int32, input: Int32, output: Int32, watch: Int32) {
        self.id = id
        self.input = input
        self.output = output
        self.watch = watch
    }

    /// Wake-up, end of the process, its output, its input.
    func events(wake: Int32) -> [pollfd] {
        [
            pollfd(fd: wake, events: Int16(POLLIN), revents: 0), pollfd(fd: watch, events: Int16(POLLIN), revents: 0),
            pollfd(fd: isOutputOpen ? output : -1, events: Int16(POLLIN), revents: 0),
            pollfd(fd: wantsInput ? input : -1, events: Int16(POLLOUT), revents: 0),
        ]
    }

    mutating func write(_ bytes: inout [UInt8]) {
        var sent = 0
        while input >= 0, sent < bytes.count {
            let count = bytes.withUnsafeBytes { Glibc.write(input, $0.baseAddress.map { $0 + sent }, bytes.count - sent) }
            if count < 0, errno == EINTR { continue }
            if count < 0, errno == EAGAIN { break }
            guard count > 0 else {
                // It reads no more, which is its right.
                closeInput()
                bytes.removeAll()
                return
            }
            sent += count
        }
        bytes.removeFirst(sent)
    }

    mutating func closeInput() {
        guard input >= 0 else { return }
        close(input)
        input = -1
        wantsInput = false
    }

    mutating func read(_ take: ([UInt8]) -> Void) {
        var buffer = [UInt8](repeating: 0, count: 16 * 1024)
        while isOutputOpen {
            let count = Glibc.read(output, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            if count < 0, errno == EAGAIN { return }
            guard count > 0 else {
                isOutputOpen = false
                return
            }
            take(Array(buffer.prefix(count)))
        }
    }

    mutating func closeAll() {
        closeInput()
        close(output)
        if watch >= 0 { close(watch) }
    }
}

/// Strings as C wants them: pointers, and none at the end.
private final class CStrings {
    let pointer: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
    private let count: Int

    init(_ texts: [String]) {
        count = texts.count
        pointer = .allocate(capacity: texts.count + 1)
        for (index, text) in texts.enumerated() { (pointer + index).initialize(to: strdup(text)) }
        (pointer + texts.count).initialize(to: nil)
    }

    deinit {
        for index in 0..<count { free(pointer[index]) }
        pointer.deallocate()
    }
}
