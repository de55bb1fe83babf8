import FileStorage
import Foundation
import TunnelDomain

/// Accepts events and carries their runs through until it is killed, and prints each promise after the inbox has made it.
enum InboxCrasher {
    static let workerCount = 6

    static func run(at path: String, from first: Int) async throws {
        let inbox = try Inbox.own(at: path)
        let now = Timestamp(secondsSinceEpoch: 1_795_219_200)
        _ = try await inbox.interruptRuns(at: now) { _ in 1_000 }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for worker in 0..<workerCount {
                group.addTask {
                    for number in stride(from: first + worker, to: first + 1_000_000, by: workerCount) {
                        let event = InboxEvent(
                            route: "r", deliveryID: "d\(number)", receivedAt: now, method: "POST", target: "/in",
                            address: "192.0.2.7", fields: "[]", body: Array("{}".utf8), verdict: "{}", isWanted: true)
                        guard case .accepted(_, let run?) = try await inbox.accept(event, line: nil, expiresAt: nil) else {
                            continue
                        }
                        try promise("accepted d\(number)")
                        _ = try await inbox.change(run: run.id) { run throws(RunRefusal) in try run.start(at: now) }
                        _ = try await inbox.change(run: run.id) { run throws(RunRefusal) in try run.succeed(at: now) }
                        try promise("succeeded d\(number)")
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    // Straight to the pipe: what a buffer held would die with the process.
    private static func promise(_ line: String) throws {
        try FileHandle.standardOutput.write(contentsOf: Data("\(line)\n".utf8))
    }
}
