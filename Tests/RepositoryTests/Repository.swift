import Foundation
import Testing

/// One text file of the repository, by its path from the top.
struct SourceFile: Hashable {
    let path: String
    let text: String

    var lines: [Substring] { text.split(separator: "\n", omittingEmptySubsequences: false) }

    /// `Sources/TLS/Session.swift` belongs to `TLS`, `Apps/culvert/main.swift` to `culvert`.
    var module: String? {
        let parts = path.split(separator: "/")
        guard parts.count > 2, parts[0] == "Sources" || parts[0] == "Apps" || parts[0] == "Tests" else { return nil }
        return String(parts[1])
    }

    var isSource: Bool { path.hasPrefix("Sources/") }
    var isApp: Bool { path.hasPrefix("Apps/") }
}

/// What a check found, and what to do about it.
struct Finding: Hashable, CustomStringConvertible {
    let path: String
    let line: Int
    let advice: String

    var description: String { "\(path):\(line): \(advice)" }
}

/// Records every finding as an issue of its own, so that the advice is what the reader sees.
func expectNone(_ findings: [Finding], sourceLocation: SourceLocation = #_sourceLocation) {
    for finding in findings { Issue.record(Comment(rawValue: finding.description), sourceLocation: sourceLocation) }
}

/// The working tree these tests were compiled from.
enum Repository {
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// Every Swift file under the folders that hold code, in path order.
    static func swiftFiles(under folders: [String] = ["Sources", "Apps", "Tests"]) throws -> [SourceFile] {
        try folders.flatMap { try files(under: $0, withExtension: "swift") }
    }

    static func file(_ path: String) throws -> SourceFile {
        SourceFile(path: path, text: try String(contentsOf: root.appending(path: path), encoding: .utf8))
    }

    /// Names at the top level, without dotfiles.
    static func topLevelNames() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: root.path).filter { !$0.hasPrefix(".") }.sorted()
    }

    static func folderNames(in folder: String) throws -> [String] {
        let url = root.appending(path: folder)
        return try FileManager.default.contentsOfDirectory(at: url, includingPropertiesForKeys: [.isDirectoryKey])
            .filter { try $0.resourceValues(forKeys: [.isDirectoryKey]).isDirectory == true }
            .map(\.lastPathComponent).sorted()
    }

    /// Every document under a folder.
    static func pages(under folder: String) throws -> [SourceFile] { try files(under: folder, withExtension: "md") }

    static func exists(_ path: String) -> Bool {
        FileManager.default.fileExists(atPath: root.appending(path: path).standardizedFileURL.path)
    }

    private static func files(under folder: String, withExtension kind: String) throws -> [SourceFile] {
        let names = try FileManager.default.subpathsOfDirectory(atPath: root.appending(path: folder).path)
        return try names.filter { $0.hasSuffix(".\(kind)") && !$0.contains("/.") && !$0.hasPrefix(".") }
            .sorted().map { try file("\(folder)/\($0)") }
    }
}
