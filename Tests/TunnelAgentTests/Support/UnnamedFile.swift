import Foundation

/// A file that has a path only as long as this process keeps it open: whatever becomes of a test, nothing stays behind.
struct UnnamedFile: Sendable {
    private let handle: FileHandle
    var path: String { "/proc/self/fd/\(handle.fileDescriptor)" }

    init(_ text: String) throws {
        let url = FileManager.default.temporaryDirectory.appending(path: "culvert-agent-test-\(UUID().uuidString)")
        try text.write(to: url, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(at: url) }
        handle = try FileHandle(forReadingFrom: url)
    }
}
