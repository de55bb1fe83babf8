import Foundation
import Synchronization
import TestSupport
import Testing
import TunnelClient

@testable import TunnelProfile

/// Answers every rotation in one way, and keeps what was asked.
private final class RotationServer: ClientTransport {
    private let asked = Mutex<[ClientRequest]>([])
    private let answer: @Sendable () async throws -> ClientResponse

    init(_ answer: @escaping @Sendable () async throws -> ClientResponse) { self.answer = answer }

    var idempotencyKeys: [String] {
        asked.withLock { $0 }.compactMap { $0.fields.first { $0.name.lowercased() == "idempotency-key" }?.value }
    }

    func send(_ request: ClientRequest) async throws -> ClientResponse {
        asked.withLock { $0.append(request) }
        return try await answer()
    }
}

struct KeyRotationTests {
    private static let old = StoredConfiguration(
        server: "https://a.example", apiKey: "ApiKey_1", rotationSecret: "RotSecret_1")

    private static func environment(_ folder: borrowing TemporaryFolder) throws -> [String: String] {
        try old.save(to: folder.path + "/culvert/config.json")
        return ["XDG_CONFIG_HOME": folder.path, "XDG_STATE_HOME": folder.path]
    }

    private static func rotation(_ environment: [String: String], _ server: RotationServer) throws -> KeyRotation {
        let profile = try Profile(Profile.Choices(), environment: environment)
        return KeyRotation(
            profile: profile,
            client: CulvertClient(
                server: profile.server, apiKey: profile.apiKey, transport: server, retries: RetryPolicy(attemptCountMax: 1)))
    }

    private static func stored(_ environment: [String: String]) throws -> StoredConfiguration {
        try StoredConfiguration.load(from: try Locations(environment: environment).configurationFile)
    }

    private static func json(_ status: Int, _ body: String) -> ClientResponse {
        ClientResponse(status: status, fields: [("content-type", "application/json")], body: Array(body.utf8))
    }

    private static let replaced = json(
        200, #"{"message":"m","apiKey":"ApiKey_2","rotationSecret":"RotSecret_2","agentId":"i","agentName":"n"}"#)

    @Test func `what is to be asked is on the disk before it is asked, and the answer after it`() async throws {
        let folder = TemporaryFolder()
        let environment = try Self.environment(folder)
        let server = RotationServer {
            let pending = try Self.stored(environment).pendingRotation
            #expect(pending != nil)
            return Self.replaced
        }
        let rotated = try await Self.rotation(environment, server).run(rotationSecretFile: nil)
        #expect(rotated.apiKey == "ApiKey_2")
        #expect(
            try Self.stored(environment)
                == StoredConfiguration(server: "https://a.example", apiKey: "ApiKey_2", rotationSecret: "RotSecret_2"))
    }

    @Test func `a lost answer is asked for again under the same key`() async throws {
        let folder = TemporaryFolder()
        let environment = try Self.environment(folder)
        let lossy = RotationServer { throw TransportFailure.connectionLost(reason: "cut") }
        await #expect(throws: KeyRotation.Failure.self) {
            try await Self.rotation(environment, lossy).run(rotationSecretFile: nil)
        }
        let pending = try #require(try Self.stored(environment).pendingRotation)
        #expect(try Self.stored(environment).apiKey == "ApiKey_1")
        let server = RotationServer { Self.replaced }
        _ = try await Self.rotation(environment, server).run(rotationSecretFile: nil)
        #expect(server.idempotencyKeys == [pending.idempotencyKey])
        #expect(try Self.stored(environment).pendingRotation == nil)
    }

    @Test func `a refusal leaves everything as it was`() async throws {
        let folder = TemporaryFolder()
        let environment = try Self.environment(folder)
        let server = RotationServer { Self.json(401, #"{"status":401,"title":"no","detail":"no"}"#) }
        await #expect(throws: KeyRotation.Failure.self) {
            try await Self.rotation(environment, server).run(rotationSecretFile: nil)
        }
        #expect(try Self.stored(environment) == Self.old)
    }

    /// The later one would put the old key in the place of the new one.
    @Test func `one rotation at a time`() async throws {
        let folder = TemporaryFolder()
        let environment = try Self.environment(folder)
        let gate = Gate()
        let server = RotationServer {
            await gate.arrive()
            return Self.replaced
        }
        async let first = Self.rotation(environment, server).run(rotationSecretFile: nil)
        await gate.someoneArrived()
        let rotation = try Self.rotation(environment, server)
        do throws(KeyRotation.Failure) {
            _ = try await rotation.run(rotationSecretFile: nil)
            Issue.record("two at once")
        } catch {
            guard case .unready(let flaw) = error else {
                Issue.record("\(error)")
                return
            }
            #expect(flaw.kind == .conflict)
        }
        await gate.open()
        #expect(try await first.apiKey == "ApiKey_2")
        #expect(try Self.stored(environment).apiKey == "ApiKey_2")
        _ = try await Self.rotation(environment, server).run(rotationSecretFile: nil)
    }

    @Test func `a key from elsewhere is not rotated, for the new one could not be kept`() async throws {
        let folder = TemporaryFolder()
        let environment = try Self.environment(folder)
        let file = folder.path + "/key"
        try PrivateFile.write(Array("ApiKey_1".utf8), to: file)
        let profile = try Profile(Profile.Choices(apiKeyFile: file), environment: environment)
        let client = CulvertClient(
            server: profile.server, apiKey: profile.apiKey, transport: RotationServer { Self.replaced })
        await #expect(throws: KeyRotation.Failure.self) {
            try await KeyRotation(profile: profile, client: client).run(rotationSecretFile: nil)
        }
        #expect(try Self.stored(environment) == Self.old)
    }

    @Test(
        arguments: [
            (.noAnswer(.connectionLost(reason: "")), true), (.noAnswer(.unreachable(reason: "")), true), (.cancelled, true),
            (.refused(ServerRefusal(status: 500, detail: "")), true), (.unusableAnswer(status: 200, reason: ""), true),
            (.refused(ServerRefusal(status: 409, detail: "")), true), (.refused(ServerRefusal(status: 429, detail: "")), true),
            (.refused(ServerRefusal(status: 401, detail: "")), false),
            (.refused(ServerRefusal(status: 403, detail: "")), false),
            (.refused(ServerRefusal(status: 422, detail: "")), false), (.credentialUnusable(reason: ""), false),
        ] as [(ClientError, Bool)])
    func `a rotation is begun anew only when the old one cannot have happened`(error: ClientError, mayHaveHappened: Bool) {
        #expect(KeyRotation.mayHaveHappened(error) == mayHaveHappened)
    }

    @Test func `an unfinished rotation comes back from the disk`() throws {
        let folder = TemporaryFolder()
        let path = folder.path + "/config.json"
        let stored = StoredConfiguration(
            server: "https://a.example", apiKey: "ApiKey_1", rotationSecret: "RotSecret_1",
            pendingRotation: PendingRotation(idempotencyKey: "i-1"))
        try stored.save(to: path)
        #expect(try StoredConfiguration.load(from: path) == stored)
    }
}
