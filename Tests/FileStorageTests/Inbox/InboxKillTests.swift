import FileStorage
import Foundation
import TestSupport
import Testing
import TunnelDomain

@Suite struct InboxKillTests {
    static let seed: UInt64 = 0x5eed_0006
    static let roundCount = 10

    /// The child accepts events and carries runs through; every line that it prints is a promise.
    @Test func `whatever the inbox acknowledged survives kill -9, runs and their ends included`() async throws {
        var generator = SeededGenerator(seed: Self.seed)
        let folder = try TemporaryDirectory()
        var accepted: Set<String> = []
        var succeeded: Set<String> = []
        for round in 0..<Self.roundCount {
            let lines = try run(in: folder, from: round * 1_000_000, killAfter: Int.random(in: 1...200, using: &generator))
            for line in lines {
                let words = line.split(separator: " ")
                guard words.count == 2 else { continue }
                if words[0] == "accepted" { accepted.insert(String(words[1])) } else { succeeded.insert(String(words[1])) }
            }
            let inbox = try Inbox.own(at: folder.path)
            let found = try await inbox.events(countMax: 1_000_000)
            let known = Set(found.compactMap(\.deliveryID))
            #expect(accepted.subtracting(known).isEmpty, "seed \(Self.seed), round \(round)")
            #expect(found.count == known.count, "an event is there twice")
            let runs = try await inbox.runs(countMax: 1_000_000)
            #expect(runs.count == found.count, "an event without its run, or with two")
            let done = Set(try await inbox.runs(state: "succeeded", countMax: 1_000_000).map(\.eventID))
            let names = Dictionary(uniqueKeysWithValues: found.map { ($0.deliveryID ?? "", $0.id) })
            #expect(succeeded.allSatisfy { names[$0].map(done.contains) == true }, "seed \(Self.seed), round \(round)")
            await inbox.close()
        }
        #expect(accepted.count >= Self.roundCount)
        #expect(!succeeded.isEmpty)
    }

    private func run(in folder: TemporaryDirectory, from first: Int, killAfter count: Int) throws -> [String] {
        let child = Process()
        // The child is built beside this test's own executable.
        child.executableURL = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
            .deletingLastPathComponent().appending(path: "store-crasher")
        child.arguments = [folder.path, "\(first)", "inbox"]
        let output = Pipe()
        child.standardOutput = output
        try child.run()
        var text = Data()
        while text.count(where: { $0 == UInt8(ascii: "\n") }) < count {
            let chunk = output.fileHandleForReading.availableData
            try #require(!chunk.isEmpty, "the child ended by itself: \(String(decoding: text, as: UTF8.self))")
            text += chunk
        }
        #expect(kill(child.processIdentifier, SIGKILL) == 0)
        text += output.fileHandleForReading.readDataToEndOfFile()
        child.waitUntilExit()
        // A line that the kill cut short promises nothing.
        return String(decoding: text, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false).dropLast()
            .map(String.init)
    }
}
