import Foundation
import TestSupport
import Testing
import TunnelAgent
import TunnelClient

@testable import TunnelProfile

struct ProfileTests {
    private static func environment(_ folder: borrowing TemporaryFolder, _ stored: StoredConfiguration?) throws -> [String:
        String]
    {
        try stored?.save(to: folder.path + "/culvert/config.json")
        return ["XDG_CONFIG_HOME": folder.path, "XDG_STATE_HOME": folder.path]
    }

    @Test func `what is given goes before what is kept`() async throws {
        let folder = TemporaryFolder()
        let kept = StoredConfiguration(
            server: "https://a.example", apiKey: "ApiKey_1", caFile: "/kept.pem", edge: "127.0.0.1:1")
        let environment = try Self.environment(folder, kept)
        let profile = try Profile(Profile.Choices(), environment: environment)
        #expect(profile.server.description == "https://a.example" && profile.caFile == "/kept.pem" && profile.isKeyStored)
        #expect(profile.edge?.description == "127.0.0.1:1")
        #expect(try await profile.apiKey.key() == "ApiKey_1")
        let file = folder.path + "/key"
        try PrivateFile.write(Array("ApiKey_2\n".utf8), to: file)
        let choices = Profile.Choices(server: "https://b.example", apiKeyFile: file, caFile: "/given.pem", edge: "127.0.0.1:2")
        let given = try Profile(choices, environment: environment)
        #expect(given.server.description == "https://b.example" && given.caFile == "/given.pem" && !given.isKeyStored)
        #expect(given.edge?.description == "127.0.0.1:2")
        #expect(try await given.apiKey.key() == "ApiKey_2")
    }

    @Test func `a key that is rotated is used from then on`() async throws {
        let folder = TemporaryFolder()
        let environment = try Self.environment(folder, StoredConfiguration(server: "https://a.example", apiKey: "ApiKey_1"))
        let profile = try Profile(Profile.Choices(), environment: environment)
        try StoredConfiguration(server: "https://a.example", apiKey: "ApiKey_2")
            .save(to: profile.locations.configurationFile)
        #expect(try await profile.apiKey.key() == "ApiKey_2")
        // A login to another server is none of this one's business.
        try StoredConfiguration(server: "https://b.example", apiKey: "ApiKey_3")
            .save(to: profile.locations.configurationFile)
        #expect(try await profile.apiKey.key() == "ApiKey_1")
        let file = folder.path + "/key"
        try PrivateFile.write(Array("ApiKey_4".utf8), to: file)
        let given = try Profile(Profile.Choices(server: "https://a.example", apiKeyFile: file), environment: environment)
        try PrivateFile.write(Array("ApiKey_5".utf8), to: file)
        #expect(try await given.apiKey.key() == "ApiKey_5")
    }

    @Test(
        arguments: [
            (nil, Profile.Choices(), .usage), (nil, Profile.Choices(server: "https://a.example"), .authentication),
            (StoredConfiguration(server: "https://a.example"), Profile.Choices(), .authentication),
            (
                StoredConfiguration(server: "https://a.example", apiKey: "ApiKey_1"),
                Profile.Choices(server: "https://b.example"), .authentication
            ),
            (
                StoredConfiguration(server: "https://a.example", apiKey: "ApiKey_1", edge: "a.example:0"), Profile.Choices(),
                .usage
            ),
            (nil, Profile.Choices(server: "nowhere"), .usage),
            (nil, Profile.Choices(server: "https://a.example", apiKeyFile: "/nonexistent/key"), .usage),
        ] as [(StoredConfiguration?, Profile.Choices, ProfileFlaw.Kind)])
    func `what is missing or wrong is said with what to do`(
        stored: StoredConfiguration?, choices: Profile.Choices, kind: ProfileFlaw.Kind
    ) throws {
        let folder = TemporaryFolder()
        let environment = try Self.environment(folder, stored)
        let flaw = #expect(throws: ProfileFlaw.self) { try Profile(choices, environment: environment) }
        #expect(flaw?.kind == kind)
        #expect(flaw?.description.contains("ApiKey_1") == false)
    }
}
