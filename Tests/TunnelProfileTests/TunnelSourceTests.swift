import Foundation
import Synchronization
import TestSupport
import Testing
import TunnelAgent
import TunnelClient

@testable import TunnelProfile

/// Answers each call by the next of its answers, and the last one from then on.
private final class ScriptedService: ClientTransport {
    private let answers: Mutex<[ClientResponse]>
    private let asked = Mutex<[ClientRequest]>([])

    init(_ answers: [ClientResponse]) { self.answers = Mutex(answers) }

    var askedCount: Int { asked.withLock { $0.count } }

    func send(_ request: ClientRequest) async throws -> ClientResponse {
        asked.withLock { $0.append(request) }
        return answers.withLock { $0.count > 1 ? $0.removeFirst() : $0[0] }
    }
}

struct TunnelSourceTests {
    private static let server = try! ServerURL(validating: "https://a.example")  // a fixed text that is valid

    private static func tunnel(
        _ status: String = "active", mode: String = "edge", identity: String? = nil
    ) -> String {
        let identity = identity.map { #""\#($0)""# } ?? "null"
        return #"{"id":"t1","organization_id":"o1","agent_identity_id":\#(identity),"tunnel_name":"my-agent","#
            + #""description":null,"metadata":{},"tls_mode":"\#(mode)","status":"\#(status)","#
            + #""public_host":"my-agent.a.example","zone":"a.example","#
            + #""currently_connected":false,"created_at":"2026-01-01T00:00:00Z","updated_at":"2026-01-01T00:00:00Z"}"#
    }

    private static let created = json(201, #"{"tunnel":\#(tunnel()),"connect_secret":"tnl_1"}"#)

    private static func record(_ text: String) throws -> TunnelRecord {
        try ClientJSON.decoder().decode(TunnelRecord.self, from: Data(text.utf8))
    }

    private static func json(_ status: Int, _ body: String) -> ClientResponse {
        ClientResponse(status: status, fields: [("content-type", "application/json")], body: Array(body.utf8))
    }

    private static let taken = json(409, #"{"status":409,"title":"taken","detail":"taken"}"#)

    private static func source(
        _ folder: borrowing TemporaryFolder, _ service: ScriptedService, mode: TunnelRecord.TLSMode = .edge
    ) -> TunnelSource {
        let key = APIKeySource.fixed("ApiKey_1")
        let client = CulvertClient(
            server: server, apiKey: key, transport: service, retries: RetryPolicy(attemptCountMax: 1))
        return TunnelSource(
            client: client, apiKey: key, memory: TunnelMemory(state: folder.path, server: server), mode: mode)
    }

    private static func word(_ flaw: TunnelSource.Flaw) -> String {
        switch flaw {
        case .otherMode: "mode"
        case .beingDeleted: "deleting"
        case .notServable: "status"
        case .missingSecret: "secret"
        case .settings: "settings"
        case .service: "service"
        }
    }

    @Test(arguments: [
        ("active", "edge", TunnelRecord.TLSMode.edge, "secret"), ("active", "passthrough", .edge, "mode"),
        ("active", "edge", .passthrough, "mode"), ("awaiting_cert", "passthrough", .passthrough, "secret"),
        ("awaiting_cert", "edge", .edge, "status"), ("delete_pending", "edge", .edge, "deleting"),
        ("deleted", "edge", .edge, "status"), ("haunted", "edge", .edge, "status"),
    ])
    func `a tunnel that is there is served in its mode, when its status allows it and its secret is here`(
        status: String, mode: String, wanted: TunnelRecord.TLSMode, word: String
    ) async throws {
        let folder = TemporaryFolder()
        let source = Self.source(folder, ScriptedService([Self.taken]), mode: wanted)
        let tunnel = try Self.record(Self.tunnel(status, mode: mode))
        do throws(TunnelSource.Flaw) {
            _ = try await source.reuse(tunnel)
            #expect(Bool(false), "it is served")
        } catch {
            #expect(Self.word(error) == word)
        }
    }

    @Test func `a new tunnel's secret is kept, and serves it from then on`() async throws {
        let folder = TemporaryFolder()
        let source = Self.source(folder, ScriptedService([Self.created]))
        let made = try await source.create("my-agent")
        #expect(made.credential == .connectSecret("tnl_1"))
        #expect(try await source.reuse(made.tunnel).credential == .connectSecret("tnl_1"))
    }

    @Test func `an identity's tunnel is served by the API key`() async throws {
        let folder = TemporaryFolder()
        let source = Self.source(folder, ScriptedService([Self.taken]))
        let tunnel = try Self.record(Self.tunnel(identity: "i1"))
        #expect(try await source.reuse(tunnel).credential == .apiKey("ApiKey_1"))
    }

    @Test func `a made-up name that is taken is followed by others, up to a limit`() async throws {
        let folder = TemporaryFolder()
        let last = ScriptedService(
            Array(repeating: Self.taken, count: TunnelSource.madeUpNamesMax - 1) + [Self.created])
        _ = try await Self.source(folder, last).createWithMadeUpName()
        #expect(last.askedCount == TunnelSource.madeUpNamesMax)
        let never = ScriptedService([Self.taken])
        await #expect(throws: TunnelSource.Flaw.self) { try await Self.source(folder, never).createWithMadeUpName() }
        #expect(never.askedCount == TunnelSource.madeUpNamesMax)
    }
}
