import Foundation
import Glibc
import TunnelWire

/// Where secrets come from: a file, the environment, or the configuration itself.
struct SecretReader {
    let environment: [String: String]
    /// The folder that relative paths start at: the configuration's own.
    let folder: String

    static let byteCountMax = 64 * 1024

    /// The secret's text; nil when something is wrong with it, which has been noted.
    func text(_ reader: ConfigReader) -> String? {
        guard reader.isObject(of: ["file", "env", "value"]) else { return nil }
        let given = ["file", "env", "value"].filter { reader.member($0) != nil }
        guard given.count == 1 else {
            reader.complain("a secret has exactly one of “file”, “env” and “value”")
            return nil
        }
        if let value = reader.member("value") { return value.nonemptyString }
        if let name = reader.member("env") {
            guard let name = name.nonemptyString else { return nil }
            if let text = environment[name], !text.isEmpty { return text }
            reader.complain("the environment variable \(name) is not set; start the listener with it, or use “file”")
            return nil
        }
        guard let file = reader.member("file"), let path = file.nonemptyString else { return nil }
        return read(absolute(path), reader: file)
    }

    func absolute(_ path: String) -> String { path.hasPrefix("/") ? path : folder + "/" + path }

    private func read(_ path: String, reader: ConfigReader) -> String? {
        guard let handle = FileHandle(forReadingAtPath: path) else {
            reader.complain("\(path) cannot be read: \(String(cString: strerror(errno)))")
            return nil
        }
        // Nil at the end of the file.
        let data = (try? handle.read(upToCount: Self.byteCountMax + 1)) ?? Data()
        guard data.count <= Self.byteCountMax, let text = String(validating: data, as: UTF8.self) else {
            reader.complain("\(path) holds no secret: it is too long or no text")
            return nil
        }
        let line = text.trimmingCharacters(in: .newlines)
        if line.isEmpty { reader.complain("\(path) is empty") }
        return line.isEmpty ? nil : line
    }
}
