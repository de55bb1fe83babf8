import Foundation
import LinuxIO
import Synchronization
import TestSupport
import Testing

struct ChildSessionTests {
    // A program may end without reading; then writing to it must fail, not end this process.
    init() { Signals.ignoreBrokenPipes() }

    /// Waits until it is so; the kernel ends a killed process a moment after the signal.
    private func comes(_ isSo: () -> Bool) async -> Bool {
        let end = ContinuousClock.now + .seconds(20)
        while !isSo() {
            guard ContinuousClock.now < end else { return false }
            try? await Task.sleep(for: .milliseconds(5))
        }
        return true
    }

    struct Ended: Sendable {
        var end: ChildEnd
        var output: String
    }

    private func run(
        _ script: String, input: [UInt8] = [], timeout: Duration = .seconds(60), grace: Duration = .seconds(5),
        lock: ProcessLock? = nil, stop: Bool = false
    ) async -> Ended {
        let command = ChildCommand(
            path: "/bin/sh", arguments: ["sh", "-c", script], environment: ["GREETING": "hello", "PATH": "/usr/bin:/bin"],
            directory: "/")
        let text = Mutex([UInt8]())
        let box = Box(text)
        return await withCheckedContinuation { continuation in
            let session = ChildSession.start(
                command, limits: ChildSession.Limits(timeout: timeout, killGrace: grace), lock: lock
            ) { bytes in
                box.text.withLock { $0 += bytes }
            } ended: { end in
                let output = box.text.withLock { String(decoding: $0, as: UTF8.self) }
                continuation.resume(returning: Ended(end: end, output: output))
            }
            session?.send(input)
            session?.closeInput()
            if stop { session?.stop() }
        }
    }

    private final class Box: Sendable {
        let text: Mutex<[UInt8]>
        init(_ text: consuming Mutex<[UInt8]>) { self.text = text }
    }

    @Test func `input, environment, directory, output and exit code are what was asked for`() async {
        let ended = await run("cat; echo \" $GREETING $(pwd) ${HOME:-none}\"; echo oops >&2; exit 3", input: Array("in".utf8))
        #expect(ended.output == "in hello / none\noops\n")
        #expect(ended.end == .exited(code: 3))
    }

    @Test func `more than a pipe holds goes through in both directions`() async {
        let input = [UInt8](repeating: UInt8(ascii: "x"), count: 3_000_000)
        let ended = await run("cat", input: input)
        #expect(ended.output.utf8.count == input.count)
        #expect(ended.end == .exited(code: 0))
    }

    @Test func `a program that does not read its input is no trouble`() async {
        let ended = await run("exit 0", input: [UInt8](repeating: 0, count: 1_000_000))
        #expect(ended.end == .exited(code: 0))
    }

    @Test func `a program that takes too long is killed with its children, and even when it will not listen`() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "culvert-\(UUID())").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let lock = try #require(ProcessLock.take(folder + "/lock"))
        let ended = await run(
            "trap '' TERM; sleep 1000 & wait; sleep 1000", timeout: .milliseconds(100), grace: .milliseconds(100), lock: lock)
        #expect(ended.end == .timedOut)
        // The lock's file is free as soon as this process lets go of it: nobody who inherited it is left.
        lock.release()
        #expect(await comes { ProcessLock.take(folder + "/lock") != nil })
    }

    @Test func `a stop ends it`() async {
        #expect(await run("sleep 1000", stop: true).end == .stopped)
    }

    @Test func `what is left in the background when the program ends is killed`() async {
        let ended = await run("sleep 1000 & echo $!")
        #expect(ended.end == .exited(code: 0))
        let id = Int32(ended.output.trimmingCharacters(in: .whitespacesAndNewlines)) ?? 0
        #expect(id > 0)
        // Killed and perhaps not yet reaped by init: no process, or a zombie.
        let isGone = await comes {
            let state = try? String(contentsOfFile: "/proc/\(id)/stat", encoding: .utf8)
            return state == nil || state?.contains(") Z ") == true || state?.contains(") X ") == true
        }
        #expect(isGone)
    }

    @Test func `what cannot be started says why`() async {
        let missing = ChildCommand(path: "/nowhere/at/all", arguments: ["x"])
        let lost = ChildCommand(path: "/bin/sh", arguments: ["sh"], directory: "/nowhere")
        for command in [missing, lost] {
            let end = await withCheckedContinuation { continuation in
                _ = ChildSession.start(command, limits: ChildSession.Limits(timeout: nil)) { _ in
                } ended: {
                    continuation.resume(returning: $0)
                }
            }
            #expect(end == .notStarted("No such file or directory"))
        }
    }

    @Test func `whoever inherited a lock, even outside of the group, is found and killed`() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "culvert-\(UUID())").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let path = folder + "/lock"
        let lock = try #require(ProcessLock.take(path))
        // setsid leaves the process group, so the end of the program does not end it.
        let ended = await run("setsid sleep 1000 >/dev/null 2>&1 & sleep 0.2", lock: lock)
        #expect(ended.end == .exited(code: 0))
        lock.release()
        #expect(ProcessLock.take(path) == nil, "the program that left the group still holds the lock")
        #expect(ProcessLock.clear(path))
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    @Test func `a name is looked for as a shell does`() {
        #expect(ChildCommand.file(of: "sh", in: "/nowhere:/bin") == "/bin/sh")
        #expect(ChildCommand.file(of: "/bin/sh", in: "") == "/bin/sh")
        #expect(ChildCommand.file(of: "sh", in: "/nowhere") == nil)
        #expect(ChildUser(named: "root")?.id == 0)
        #expect(ChildUser(named: "no-such-user-here") == nil)
    }
}
