@testable import culvertd
import FileStorage
import Foundation
import SystemClock
import TLS
import Testing
import TunnelAPI
import TunnelDomain
import TunnelService
import TunnelWire

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

    @Test func `an organization gets one more admin key, and keeps the one that it had`() async throws {
        let first = try JSONValue(
            parsing: Array(try culvertd("init", "--data-dir", folder.path, "--zone", "localhost", "--json").output.utf8))
        let organization = try #require(first["organization_id"]?.stringValue)
        let ended = try culvertd("init", "--data-dir", folder.path, "--add-admin-key", organization, "--json")
        #expect((ended.code, ended.complaint) == (0, ""))
        let second = try JSONValue(parsing: Array(ended.output.utf8))
        #expect(second["organization_id"] == first["organization_id"])
        #expect(second["ca_file"] == first["ca_file"])
        let opened = try await OpenedDirectory(path: folder.path)
        for answer in [first, second] {
            let key = try #require(answer["api_key"]?.stringValue)
            let record = try await opened.store.read { try $0.apiKey(hash: OpenSSLHasher().hash(ofSecret: key)) }
            #expect(record?.organizationID.text == organization)
            #expect(record?.scopedIdentityID == nil)
        }
        await opened.store.close()
    }

    @Test(arguments: [("org_nobody", Int32(1), "has no organization"), ("nobody", 2, "begins with org_")])
    func `a key of an organization that is not there is refused`(id: String, code: Int32, text: String) throws {
        _ = try culvertd("init", "--data-dir", folder.path, "--zone", "localhost")
        let ended = try culvertd("init", "--data-dir", folder.path, "--add-admin-key", id)
        #expect(ended.code == code)
        #expect(ended.output == "")
        #expect(ended.complaint.contains(text))
        let both = try culvertd("init", "--data-dir", folder.path, "--add-admin-key", "org_a", "--add-organization")
        #expect(both.code == 2)
    }

    @Test func `an admin key is narrowed to scopes and ranges`() async throws {
        let first = try JSONValue(
            parsing: Array(try culvertd("init", "--data-dir", folder.path, "--zone", "localhost", "--json").output.utf8))
        let organization = try #require(first["organization_id"]?.stringValue)
        let ended = try culvertd(
            "init", "--data-dir", folder.path, "--add-admin-key", organization, "--scope", "keys:write", "--scope",
            "tunnels:read", "--allow-from", "192.0.2.0/24", "--json")
        #expect((ended.code, ended.complaint) == (0, ""))
        let key = try #require(try JSONValue(parsing: Array(ended.output.utf8))["api_key"]?.stringValue)
        let opened = try await OpenedDirectory(path: folder.path)
        let record = try await opened.store.read { try $0.apiKey(hash: OpenSSLHasher().hash(ofSecret: key)) }
        #expect(record?.bounds.scopes == KeyScopes(words: [.writeKeys, .readTunnels]))
        #expect(record?.bounds.ranges.map(\.text) == ["192.0.2.0/24"])
        await opened.store.close()
    }

    @Test(
        arguments: [
            (["--add-admin-key", "ORG", "--scope", "keys:*"], Int32(2), "there are tunnels:read"),
            (["--add-admin-key", "ORG", "--allow-from", "192.0.2.7/24"], 2, "192.0.2.0/24"),
            (["--add-admin-key", "ORG", "--scope", "tunnel:nobody:connect"], 1, "no tunnel nobody"),
            (["--add-organization", "--scope", "keys:read"], 2, "--add-admin-key"),
            (["--add-organization", "--allow-from", "192.0.2.7"], 2, "--add-admin-key"),
        ])
    func `a mistake in what a key is narrowed to is told`(words: [String], code: Int32, text: String) throws {
        let first = try JSONValue(
            parsing: Array(try culvertd("init", "--data-dir", folder.path, "--zone", "localhost", "--json").output.utf8))
        let organization = try #require(first["organization_id"]?.stringValue)
        let ended = try Culvertd(["init", "--data-dir", folder.path] + words.map { $0 == "ORG" ? organization : $0 }).wait()
        #expect((ended.code, ended.output) == (code, ""))
        #expect(ended.complaint.contains(text), "\(ended.complaint)")
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

    @Test func `a passphrase encrypts the authority's key, and nothing opens it without`() async throws {
        let file = try secretFile("correct horse\n")
        let made = try culvertd("init", "--data-dir", folder.path, "--zone", "localhost", "--ca-passphrase-file", file)
        #expect((made.code, made.complaint) == (0, ""))
        #expect(made.output.contains("--ca-passphrase-file \(file)"))
        #expect(!made.output.contains("correct horse"))
        let pem = try String(contentsOfFile: folder.path + "/ca-key.pem", encoding: .utf8)
        #expect(pem.hasPrefix("-----BEGIN ENCRYPTED PRIVATE KEY-----"))

        for (words, part) in [
            ([], "is encrypted; name the file"), (["--ca-passphrase-file", try secretFile("wrong")], "does not open"),
            (["--ca-passphrase-file", folder.path + "/nothing"], "nothing"),
            (["--ca-passphrase-file", try secretFile("")], "one line of 1 to 1023 bytes"),
            (["--ca-passphrase-file", try secretFile("a\nb")], "one line of 1 to 1023 bytes"),
            (["--ca-passphrase-file", try secretFile(String(repeating: "a", count: 1_024))], "one line of 1 to 1023 bytes"),
            (["--ca-passphrase-file", try secretFile("correct horse", mode: 0o640)], "chmod go-rwx"),
        ] {
            let refused = try Culvertd(["serve", "--data-dir", folder.path] + words).wait()
            #expect(refused.code == 1, "\(words)")
            #expect(refused.complaint.contains(part), "\(refused.complaint)")
            #expect(!refused.complaint.contains("correct horse"))
            #expect(refused.complaint.split(separator: "\n").count == 1)
        }
        let more = try culvertd(
            "init", "--data-dir", folder.path, "--add-organization", environment: ["CULVERT_CA_PASSPHRASE_FILE": file])
        #expect(more.code == 0)
        let opened = try await OpenedDirectory(path: folder.path, passphraseFile: file)
        #expect(throws: Never.self) {
            try opened.authority.issueServerCertificate(hosts: ["a.localhost"], at: SystemWallClock().now)
        }
        await opened.store.close()
    }

    @Test func `the longest passphrase works, and one for a key that is not encrypted is refused`() async throws {
        let longest = try secretFile(String(repeating: "a", count: 1_023))
        #expect(
            try culvertd("init", "--data-dir", folder.path, "--zone", "localhost", "--ca-passphrase-file", longest).code == 0)
        await (try OpenedDirectory(path: folder.path, passphraseFile: longest)).store.close()
        // One byte less is another passphrase.
        let shorter = try secretFile(String(repeating: "a", count: 1_022))
        await #expect(throws: Complaint.self) { try await OpenedDirectory(path: folder.path, passphraseFile: shorter) }

        let plain = OperatorFolder()
        #expect(try culvertd("init", "--data-dir", plain.path, "--zone", "localhost").code == 0)
        let refused = try culvertd("serve", "--data-dir", plain.path, "--ca-passphrase-file", longest)
        #expect(refused.code == 1)
        #expect(refused.complaint.contains("is not encrypted"))
    }

    @Test func `a passphrase that cannot be read leaves no key behind`() throws {
        let ended = try culvertd(
            "init", "--data-dir", folder.path, "--zone", "localhost", "--ca-passphrase-file", folder.path + "-nothing")
        #expect(ended.code == 1)
        #expect(!FileManager.default.fileExists(atPath: folder.path))
    }

    private let secrets = OperatorFolder()

    private func secretFile(_ text: String, mode: Int = 0o600) throws -> String {
        try FileManager.default.createDirectory(atPath: secrets.path, withIntermediateDirectories: true)
        let path = secrets.path + "/" + UUID().uuidString
        try Data(text.utf8).write(to: URL(filePath: path))
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
        return path
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
