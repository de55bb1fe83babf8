@testable import culvertd
import FileStorage
import Foundation
import TLS
import Testing
import TunnelAPI
import TunnelDomain
import TunnelService

/// The built program, run as an operator runs it.
@Suite struct InitializeTests {
    private let folder = OperatorFolder()

    private func culvertd(_ words: String..., environment: [String: String] = [:]) throws -> Culvertd.Ended {
        try Culvertd(words, environment: environment).wait()
    }

    @Test func `init makes what serve needs, and shows the key once`() async throws {
        let ended = try culvertd("init", "--data-dir", folder.path, "--zone", "Tunnels.Example.com.", "--json")
        #expect(ended.code == 0)
        #expect(ended.complaint == "")
        let answer = try JSONValue(parsing: Array(ended.output.utf8))
        let key = try #require(answer["api_key"]?.stringValue)
        #expect(try SecretFormat.kind(of: key) == .apiKey)
        #expect(answer["ca_file"]?.stringValue == folder.path + "/ca.pem")

        let opened = try await OpenedDirectory(path: folder.path)
        #expect(opened.zone.text == "tunnels.example.com")
        let record = try await opened.store.read { try $0.apiKey(hash: OpenSSLHasher().hash(ofSecret: key)) }
        #expect(record?.organizationID.text == answer["organization_id"]?.stringValue)
        for name in try FileManager.default.contentsOfDirectory(atPath: folder.path) {
            let bytes = try Data(contentsOf: URL(filePath: folder.path + "/" + name))
            #expect(bytes.range(of: Data(key.utf8)) == nil, "\(name) holds the key")
        }
    }

    @Test func `a second init is refused, and another organization has its own key`() throws {
        let first = try culvertd("init", "--data-dir", folder.path, "--zone", "localhost", "--json")
        let again = try culvertd("init", "--data-dir", folder.path, "--zone", "localhost", "--json")
        #expect(again.code == 1)
        #expect(again.output == "")
        #expect(again.complaint.contains("--add-organization"))
        let other = try culvertd("init", "--data-dir", folder.path, "--add-organization", "--json")
        #expect(other.code == 0)
        let (one, two) = (try JSONValue(parsing: Array(first.output.utf8)), try JSONValue(parsing: Array(other.output.utf8)))
        #expect(one["organization_id"] != two["organization_id"])
        #expect(one["api_key"] != two["api_key"])
        #expect(one["ca_file"] == two["ca_file"])
        let elsewhere = try culvertd("init", "--data-dir", folder.path, "--add-organization", "--zone", "example.com")
        #expect(elsewhere.code == 1)
        #expect(elsewhere.complaint.contains("localhost"))
    }

    @Test func `an init that broke off can be done again`() async throws {
        try await breakOff()
        let serve = try culvertd("serve", "--data-dir", folder.path)
        #expect(serve.code == 1)
        #expect(serve.complaint.contains("run `culvertd init --data-dir \(folder.path) --zone ZONE` again"))
        #expect(try culvertd("init", "--data-dir", folder.path, "--zone", "localhost").code == 0)
        #expect(try await OpenedDirectory(path: folder.path).zone.text == "localhost")
    }

    /// Makes the store and stops there, as a crash would; the directory is free again on return.
    private func breakOff() async throws {
        let store = try SQLiteStore.open(in: DataDirectory.make(at: folder.path), creating: true)
        await store.close()
    }

    @Test func `serve says in one sentence why it cannot start`() throws {
        #expect(try culvertd("init", "--data-dir", folder.path, "--zone", "localhost").code == 0)
        try Data("nonsense".utf8).write(to: URL(filePath: folder.path + "/ca-key.pem"))
        let broken = try culvertd("serve", "--data-dir", folder.path)
        #expect(broken.code == 1)
        #expect(broken.complaint.contains(folder.path + "/ca.pem"))
        #expect(broken.complaint.split(separator: "\n").count == 1)

        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: folder.path)
        let open = try culvertd("serve", "--data-dir", folder.path)
        #expect(open.code == 1)
        #expect(open.complaint.contains("chmod"))
    }

    @Test func `mistakes of usage have their own exit code`() throws {
        let wrong = try culvertd("serve", "--data-dir", folder.path, environment: ["CULVERT_POOL_SIZE": "33"])
        #expect(wrong.code == 2)
        #expect(wrong.complaint.contains("CULVERT_POOL_SIZE is “33”; it must be a whole number from 1 to 32"))
        #expect(try culvertd("init", "--data-dir", folder.path).code == 2)
        #expect(try culvertd("init", "--data-dir", folder.path, "--zone", "-").code == 2)
        #expect(try culvertd("--version").output == "culvertd \(Version.text)\n")
        #expect(!FileManager.default.fileExists(atPath: folder.path))
    }
}
