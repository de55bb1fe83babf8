import FileStorage
import Foundation
import TestSupport
import Testing
import TunnelDomain
import TunnelService

@Suite struct KillTests {
    static let seed: UInt64 = 0x5eed_0001
    static let roundCount = 12

    @Test func `whatever was acknowledged survives kill -9`() async throws {
        var generator = SeededGenerator(seed: Self.seed)
        let folder = try TemporaryDirectory()
        var acknowledged: Set<Int> = []
        for round in 0..<Self.roundCount {
            let numbers = try run(
                in: folder, from: round * 1_000_000, killAfter: Int.random(in: 1...150, using: &generator))
            #expect(numbers.count == Set(numbers).count)
            acknowledged.formUnion(numbers)
            try await check(acknowledged, in: folder, seed: Self.seed, round: round)
        }
        #expect(acknowledged.count >= Self.roundCount)
    }

    /// Runs the child until it has acknowledged so many tunnels, kills it in the middle of the next ones, and gives back all
    /// that it had acknowledged.
    private func run(in folder: TemporaryDirectory, from first: Int, killAfter count: Int) throws -> [Int] {
        let child = Process()
        // The child is built beside this test's own executable.
        child.executableURL = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
            .deletingLastPathComponent().appending(path: "store-crasher")
        child.arguments = [folder.path, "\(first)"]
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
        #expect(child.terminationReason == .uncaughtSignal)
        return String(decoding: text, as: UTF8.self).split(separator: "\n").compactMap { Int($0) }
    }

    /// Opening checks the whole file; then every acknowledged tunnel must be there, once, with what was written beside it.
    private func check(_ acknowledged: Set<Int>, in folder: TemporaryDirectory, seed: UInt64, round: Int) async throws {
        let store = try SQLiteStore.open(in: DataDirectory(opening: folder.path))
        let found = try await store.read { try $0.livingTunnels() }
        let missing = acknowledged.subtracting(found.map { Int($0.id.value.low) })
        #expect(missing.isEmpty, "seed \(seed), round \(round)")
        #expect(Set(found.map { $0.name }).count == found.count)
        let halves = try await store.read { store in
            try found.filter {
                try store.successCount(
                    of: .tunnelCreate, for: $0.name.text, after: Timestamp(secondsSinceEpoch: 0)) != 1
            }
        }
        #expect(halves.isEmpty, "seed \(seed), round \(round): a transaction is there in part")
        await store.close()
    }
}
