import Foundation
import TestSupport
import Testing
import TunnelClient

@testable import TunnelProfile

struct ProfileFilesTests {
    @Test func `the configuration comes back as it was saved, in a file for its owner alone`() throws {
        let folder = TemporaryFolder()
        let path = folder.path + "/deep/config.json"
        let stored = StoredConfiguration(
            server: "https://tunnels.example", apiKey: "ApiKey_é\"\\", caFile: "/etc/ca.pem", edge: "127.0.0.1:8443")
        try stored.save(to: path)
        #expect(try StoredConfiguration.load(from: path) == stored)
        #expect(try folder.mode(of: path) == 0o600)
        #expect(try folder.mode(of: folder.path + "/deep") == 0o700)
        try StoredConfiguration(server: "https://other.example").save(to: path)
        #expect(try StoredConfiguration.load(from: path).apiKey == nil)
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: folder.path + "/deep") == ["config.json"], "no draft is left")
    }

    @Test func `no configuration is an empty one`() throws {
        #expect(try StoredConfiguration.load(from: "/nonexistent/config.json") == StoredConfiguration())
    }

    @Test(arguments: [0o640, 0o604, 0o644, 0o660, 0o666])
    func `a secret that others could read is not used, and the message says what to do`(mode: Int) throws {
        let folder = TemporaryFolder()
        let path = folder.path + "/config.json"
        try StoredConfiguration(apiKey: "ApiKey_s3cret").save(to: path)
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
        do {
            _ = try StoredConfiguration.load(from: path)
            Issue.record("it was read")
        } catch {
            #expect(error.advice.contains("chmod 600 \(path)"))
            #expect(!error.description.contains("s3cret"))
        }
    }

    @Test func `a damaged configuration says how to mend it`() throws {
        let folder = TemporaryFolder()
        let path = folder.path + "/config.json"
        try PrivateFile.write(Array("{".utf8), to: path)
        #expect(throws: ProfileFlaw.self) { try StoredConfiguration.load(from: path) }
    }

    @Test func `a secret is remembered for its tunnel, not for a namesake`() throws {
        let folder = TemporaryFolder()
        let memory = TunnelMemory(state: folder.path, server: try ServerURL(validating: "https://tunnels.example:8443/base"))
        let tunnel = try tunnel(id: "one", name: "my-agent")
        #expect(try memory.secret(of: tunnel) == nil)
        try memory.remember(secret: "tnl_1", of: tunnel)
        #expect(try memory.secret(of: tunnel) == "tnl_1")
        #expect(try memory.secret(of: self.tunnel(id: "two", name: "my-agent")) == nil)
        let path = try #require(memory.path(ofTunnel: "my-agent"))
        #expect(try folder.mode(of: path) == 0o600)
        let other = TunnelMemory(state: folder.path, server: try ServerURL(validating: "https://other.example"))
        #expect(try other.secret(of: tunnel) == nil, "another server's tunnels are others")
        memory.forget(tunnel)
        #expect(try memory.secret(of: tunnel) == nil)
    }

    @Test(arguments: ["../../etc/passwd", "a/b", "", "..", "UPPER", "a\u{0}b"])
    func `a name that a server made up never becomes a path`(name: String) throws {
        let memory = TunnelMemory(state: "/nonexistent", server: try ServerURL(validating: "https://tunnels.example"))
        #expect(memory.path(ofTunnel: name) == nil)
        #expect(throws: ProfileFlaw.self) { try memory.remember(secret: "s", of: self.tunnel(id: "one", name: name)) }
    }

    @Test func `a made-up name is remembered for its target`() throws {
        let folder = TemporaryFolder()
        let memory = TunnelMemory(state: folder.path, server: try ServerURL(validating: "https://tunnels.example"))
        try memory.remember(name: "bado-kumi", forTarget: "http://localhost:3000")
        try memory.remember(name: "lito-vasu", forTarget: "http://localhost:4000")
        #expect(try memory.name(forTarget: "http://localhost:3000") == "bado-kumi")
        #expect(try memory.name(forTarget: "http://localhost:5000") == nil)
    }

    @Test(arguments: [
        (["HOME": "/home/a"], "/home/a/.config/culvert", "/home/a/.local/state/culvert"),
        (["HOME": "/home/a", "XDG_CONFIG_HOME": "/c", "XDG_STATE_HOME": "/s"], "/c/culvert", "/s/culvert"),
        (["HOME": "/home/a", "XDG_CONFIG_HOME": "relative"], "/home/a/.config/culvert", "/home/a/.local/state/culvert"),
    ])
    func `files lie where XDG says`(environment: [String: String], configuration: String, state: String) throws {
        let locations = try Locations(environment: environment)
        #expect(locations.configuration == configuration)
        #expect(locations.state == state)
    }

    @Test func `without a home there is a message instead of a file in the wrong place`() {
        #expect(throws: ProfileFlaw.self) { try Locations(environment: [:]) }
    }

    private func tunnel(id: String, name: String) throws -> TunnelRecord {
        let document: [String: String] = ["id": id, "tunnel_name": name, "tls_mode": "edge", "status": "active"]
        return try ClientJSON.decoder().decode(TunnelRecord.self, from: JSONEncoder().encode(document))
    }
}
