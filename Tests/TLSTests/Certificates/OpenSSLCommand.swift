import Foundation

/// The `openssl` command: a second opinion on what we write, and a maker of what we read.
enum OpenSSLCommand {
    struct Failure: Error { var arguments: [String], output: String }

    /// Runs the command in a fresh folder that holds the files, and gives back all it printed.
    static func run(_ arguments: [String], files: [String: String] = [:]) throws -> String {
        let folder = FileManager.default.temporaryDirectory.appending(path: "culvert-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        for (name, text) in files { try Data(text.utf8).write(to: folder.appending(path: name)) }

        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["openssl"] + arguments
        process.currentDirectoryURL = folder
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        process.standardInput = FileHandle.nullDevice
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw Failure(arguments: arguments, output: text) }
        return text
    }

    /// A request made by OpenSSL; the key arguments are those of `openssl req -newkey`.
    static func request(
        newKey: [String] = ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"], subject: String = "/CN=my-agent.example.com",
        extensions: [String] = ["subjectAltName=DNS:my-agent.example.com"], digest: String = "-sha256"
    ) throws -> String {
        let text = try run(
            ["req", "-new", "-newkey"] + newKey + ["-nodes", "-keyout", "key.pem", "-subj", subject, digest]
                + extensions.flatMap { ["-addext", $0] })
        guard let start = text.range(of: "-----BEGIN CERTIFICATE REQUEST") else {
            throw Failure(arguments: newKey, output: text)
        }
        return String(text[start.lowerBound...])
    }
}
