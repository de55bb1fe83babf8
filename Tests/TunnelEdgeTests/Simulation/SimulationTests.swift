import Foundation
import LinuxIO
@testable import TestSupport
import Testing

/// The dispatch rules with the real edge around them, in many random lives; a failing one prints its seed, by which it
/// replays bit for bit.
struct SimulationTests {
    private static let caseCount = 10_000
    private static let webSocketCaseCount = 1_000
    static let batches = Array(0..<max(1, ProcessInfo.processInfo.activeProcessorCount))

    @Test(arguments: batches)
    func `every request ends exactly once, with the right answer`(batch: Int) async throws {
        let caseCount = Self.caseCount / Self.batches.count
        try await onThread {
            // Each batch goes on where the one before ends.
            try checkProperty(cases: caseCount, from: UInt64(batch * caseCount)) { sample in
                try Self.live(&sample).vanish(sample)
            }
        }
    }

    @Test(arguments: batches)
    func `every WebSocket ends exactly once, with a code that has its cause, and loses nothing in order`(
        batch: Int
    ) async throws {
        let caseCount = Self.webSocketCaseCount / Self.batches.count
        try await onThread {
            try checkProperty(cases: caseCount, from: UInt64(batch * caseCount)) { sample in
                try Self.live(&sample, .webSockets).vanish(sample)
            }
        }
    }

    @Test(arguments: [[], .webSockets] as [SimulationRun.Scope])
    func `a seed replays bit for bit`(scope: SimulationRun.Scope) async throws {
        try await onThread {
            for seed in UInt64(1)...40 {
                let transcripts = try (0..<2).map { _ in
                    var sample = Sample(seed: seed)
                    return try Self.live(&sample, scope).transcript
                }
                #expect(transcripts[0] == transcripts[1], "seed \(seed)")
            }
        }
    }

    private struct Remains {
        weak var loop: Loop?
        var transcript: UInt64

        /// Nothing refers to the loop any more, and so to nothing that lived on it.
        func vanish(_ sample: Sample) throws {
            // A task that has done its work lets go of what it held a moment later; there is nothing to wait for.
            for _ in 0..<10_000 where loop != nil { usleep(1_000) }
            try sample.check(loop == nil, "something was not let go of")
        }
    }

    private static func live(_ sample: inout Sample, _ scope: SimulationRun.Scope = []) throws -> Remains {
        var run = try SimulationRun(scope)
        try run.live(&sample, stepCountMax: scope.isEmpty ? 50 : 80)
        return Remains(loop: run.world.loop, transcript: run.world.transcript)
    }
}

/// Runs the work on a thread of its own: it waits for tasks, and Swift's own threads must not.
func onThread<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Value, any Error>) in
        let thread = Thread { continuation.resume(with: Result { try work() }) }
        thread.stackSize = 8 * 1024 * 1024
        thread.start()
    }
}
