import Foundation

/// A folder that is not there yet, removed afterwards.
final class OperatorFolder: Sendable {
    let path = FileManager.default.temporaryDirectory.appending(path: "culvertd-\(UUID().uuidString)").path()
    deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// The built program, run as an operator runs it.
final class Culvertd {
    struct Ended {
        var code: Int32
        var output: String
        var complaint: String
    }

    let process = Process()
    private let output = Pipe()
    private let complaint = Pipe()
    private var complaintSoFar = ""

    init(_ words: [String], environment: [String: String] = [:]) throws {
        // It is built beside this test's own executable.
        process.executableURL = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
            .deletingLastPathComponent().appending(path: "culvertd")
        process.arguments = words
        process.environment = environment
        process.standardOutput = output
        process.standardError = complaint
        try process.run()
    }

    /// Reads standard error until the text stands in it; false when the program ended first.
    func waitFor(_ text: String) -> Bool {
        while !complaintSoFar.contains(text) {
            let chunk = complaint.fileHandleForReading.availableData
            if chunk.isEmpty { return false }
            complaintSoFar += String(decoding: chunk, as: UTF8.self)
        }
        return true
    }

    func wait() -> Ended {
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        complaintSoFar += String(decoding: complaint.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        let isSignal = process.terminationReason == .uncaughtSignal
        return Ended(
            code: isSignal ? -process.terminationStatus : process.terminationStatus, output: text, complaint: complaintSoFar)
    }

    /// The addresses of the listeners that have been opened, from the log.
    var addresses: [String] {
        complaintSoFar.split(separator: "\n").filter { $0.contains("listener.opened") }.compactMap { line in
            line.split(separator: " ").first { $0.hasPrefix("address=") }.map { String($0.dropFirst("address=".count)) }
        }
    }
}
