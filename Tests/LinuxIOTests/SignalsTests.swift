import Glibc
import LinuxIO
import Testing

// One test for all that a process can do with signals once: handlers are the whole process's.
@Test(.timeLimit(.minutes(5)))
func `signals arrive as calls on the loop, each with its number`() async throws {
    let door = try EventLoop()
    defer { door.stop() }
    let (signals, continuation) = AsyncStream.makeStream(of: Signal.self)
    try Signals.watch([.hangup, .terminate], on: door) { continuation.yield($0) }
    var arrived: [Signal] = []
    kill(getpid(), SIGHUP)
    for await signal in signals {
        arrived.append(signal)
        if arrived.count == 1 { kill(getpid(), SIGTERM) }
        if arrived.count == 2 { break }
    }
    #expect(arrived == [.hangup, .terminate])
    for signal in [SIGHUP, SIGTERM] { _ = Glibc.signal(signal, SIG_DFL) }
}

@Test func `a write to a pipe that nobody reads is an error and not the end`() throws {
    Signals.ignoreBrokenPipes()
    var ends: [Int32] = [-1, -1]
    try #require(pipe(&ends) == 0)
    close(ends[0])
    var byte: UInt8 = 0
    #expect(write(ends[1], &byte, 1) == -1)
    #expect(errno == EPIPE)
    close(ends[1])
}
