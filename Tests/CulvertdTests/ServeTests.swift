@testable import culvertd
import Foundation
import Testing

@Suite struct ServeTests {
    private let folder = OperatorFolder()

    init() throws {
        let ended = try Culvertd(["init", "--data-dir", folder.path, "--zone", "localhost"]).wait()
        try #require(ended.code == 0, "\(ended.complaint)")
    }

    private func serve(_ words: String...) throws -> Culvertd {
        try Culvertd(["serve", "--data-dir", folder.path] + words)
    }

    @Test(arguments: [SIGTERM, SIGINT])
    func `a signal drains and ends with success`(signal: Int32) throws {
        let service = try serve("--http", "127.0.0.1:0", "--https", "127.0.0.1:0")
        #expect(service.waitFor("service.started"))
        #expect(service.addresses.count == 2)
        kill(service.process.processIdentifier, signal)
        let ended = service.wait()
        #expect(ended.code == 0)
        #expect(ended.complaint.contains("service.stopped"))
        #expect(ended.output == "")
    }

    @Test func `a port in use and a second process are told in one sentence`() throws {
        let service = try serve("--http", "127.0.0.1:0")
        #expect(service.waitFor("service.started"))
        let second = try serve("--http", "127.0.0.1:0").wait()
        #expect(second.code == 1)
        #expect(second.complaint.contains("(process \(service.process.processIdentifier)) is using \(folder.path)"))

        let other = OperatorFolder()
        #expect(try Culvertd(["init", "--data-dir", other.path, "--zone", "localhost"]).wait().code == 0)
        let address = try #require(service.addresses.first)
        let clash = try Culvertd(["serve", "--data-dir", other.path, "--http", address]).wait()
        #expect(clash.code == 1)
        #expect(clash.complaint.contains(address))
        #expect(clash.complaint.split(separator: "\n").count == 1, "\(clash.complaint)")
        kill(service.process.processIdentifier, SIGTERM)
        #expect(service.wait().code == 0)
    }

    @Test func `log lines are JSON when asked for`() throws {
        let service = try serve("--http", "127.0.0.1:0", "--log-format", "json")
        #expect(service.waitFor("\"event\":\"service.started\""))
        kill(service.process.processIdentifier, SIGTERM)
        let lines = service.wait().complaint.split(separator: "\n")
        #expect(lines.count >= 3)
        for line in lines { #expect(try JSONSerialization.jsonObject(with: Data(line.utf8)) is [String: Any]) }
    }

    @Test func `kill -9 leaves a directory that serves at once`() throws {
        for _ in 0..<2 {
            let service = try serve("--http", "127.0.0.1:0")
            #expect(service.waitFor("service.started"))
            kill(service.process.processIdentifier, SIGKILL)
            #expect(service.wait().code == -SIGKILL)
        }
        let service = try serve("--http", "127.0.0.1:0")
        #expect(service.waitFor("service.started"))
        kill(service.process.processIdentifier, SIGTERM)
        #expect(service.wait().code == 0)
    }
}
