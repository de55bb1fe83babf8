internal import Glibc
internal import LinuxIO
internal import TunnelProfile
internal import TunnelWire

/// The whole of `culvert-rpc`: joins the pipes, the methods and the agents, and ends them in order.
struct Program {
    let options: Options
    let environment: [String: String]

    /// Why the program ends.
    private enum End: Sendable { case inputEnded, signal, outputBroken }

    func run() async -> Int32 {
        let (ends, ending) = AsyncStream.makeStream(of: End.self)
        do {
            let output = try OutputQueue(descriptor: 1, byteCountMax: options.limits[.outputBytes]) {
                ending.yield(.outputBroken)
            }
            let services = Services(options, environment: environment)
            let front = Front(services, options)
            let session = Session(limits: options.limits, front: front, offer: { output.offer($0) }) { output.send($0) }
            front.modelContext.attach(session)
            services.listen { front.tell($0, session) }
            let socket = try options.notifySocket.map { path in
                try NotifySocket(at: path, limits: options.limits) { try front.forward($0, session) }
            }
            defer { socket?.close() }
            let (input, signals) = (try EventLoop(), try EventLoop())
            try Signals.watch([.interrupt, .terminate, .hangup], on: signals) { _ in ending.yield(.signal) }
            let limits = options.limits.wire
            input.execute { _ in
                read(into: session, output, limits)
                ending.yield(.inputEnded)
            }
            for await end in ends {
                await finish(end, services, front, session, output)
                break
            }
            return 0
        } catch let error as ProfileFlaw {
            log(error.description)
            return 1
        } catch {
            log("the system gave no resources: \(error)")
            return 1
        }
    }

    /// Subscriptions end, agents stop, calls under way may end, and what was answered goes out.
    private func finish(_ end: End, _ services: Services, _ front: Front, _ session: Session, _ output: OutputQueue) async {
        front.modelContext.close()
        session.cancelCalls { lane in end != .inputEnded || lane == .wait }
        async let stopped: Void = services.fleet.stopAll()
        let deadline = Task {
            try await Task.sleep(for: .seconds(end == .inputEnded ? options.limits[.finishSeconds] : 1))
            session.cancelCalls { _ in true }
        }
        await session.finished()
        deadline.cancel()
        await stopped
        await output.flush()
    }

    func log(_ text: String) {
        _ = BlockingWrite.all(Array("culvert-rpc: \(text)\n".utf8), to: 2)
    }
}

/// Reads standard input to its end, on the calling thread.
private func read(into session: Session, _ output: OutputQueue, _ limits: JSONRPCLimits) {
    var reader = JSONRPCStreamReader(limits: limits)
    var buffer = [UInt8](repeating: 0, count: 64 * 1024)
    while true {
        let count = Glibc.read(0, &buffer, buffer.count)
        if count < 0, errno == EINTR { continue }
        if count < 0, errno == EAGAIN {
            // Whoever shares the descriptor has made it non-blocking.
            var wait = pollfd(fd: 0, events: Int16(POLLIN), revents: 0)
            _ = poll(&wait, 1, -1)
            continue
        }
        if count > 0 { reader.receive(buffer.span.extracting(0..<count)) } else { reader.finish() }
        while let event = reader.next() {
            session.receive(event, framing: reader.framing ?? .lines)
            output.waitForRoom()
        }
        guard count > 0 else { return }
    }
}
