internal import FoundationEssentials
internal import Testing
internal import TunnelClient

struct CulvertClientTests {
    @Test func `create sends what the documentation shows and reads its answer`() async throws {
        let scripted = try ScriptedClient([.json(201, DocumentedAnswer.created)])
        let created = try await scripted.client.createTunnel(named: "my-agent", description: "Production webhook receiver")
        #expect(created.connectSecret == "tnl_8f3a92b1c4d5e6f7a8b9c0d1e2f3a4b5")
        #expect(created.tunnel.tunnelName == "my-agent")
        #expect(created.tunnel.status == .active)
        #expect(created.tunnel.tlsMode == .edge)
        #expect(created.tunnel.createdAt == Date(timeIntervalSince1970: 1_776_774_600))

        let request = try #require(scripted.transport.sent.first)
        #expect(request.method == "POST")
        #expect(request.target == "/api/v1/tunnels")
        #expect(request.first("x-api-key") == "ApiKey_test")
        #expect(request.first("content-type") == "application/json")
        #expect(request.first("idempotency-key") == "key-1")
        #expect(
            String(decoding: request.body, as: UTF8.self)
                == #"{"description":"Production webhook receiver","tls_mode":"edge","tunnel_name":"my-agent"}"#)
    }

    @Test func `list reads the short form of the secret dialect`() async throws {
        let scripted = try ScriptedClient([.json(200, DocumentedAnswer.listed)])
        let tunnels = try await scripted.client.tunnels()
        #expect(tunnels.map(\.tunnelName) == ["my-agent"])
        #expect(tunnels[0].currentlyConnected)
        #expect(tunnels[0].publicHost == nil)
        #expect(scripted.transport.sent[0].method == "GET")
    }

    @Test func `get reads the key dialect, fractions of a second and unknown members included`() async throws {
        let scripted = try ScriptedClient([.json(200, DocumentedAnswer.ofAnIdentity)])
        let tunnel = try await scripted.client.tunnel(id: "0b0e7b3e-6f1b-4c69-9f6c-6f4a5b6c7d8e")
        #expect(tunnel.publicHost == "my-agent.inkboxwire.com")
        #expect(tunnel.status == .awaitingCert)
        #expect(tunnel.tlsMode == .passthrough)
        #expect(tunnel.agentIdentityID == "7a2d9c1e-0000-4000-8000-000000000001")
        #expect(tunnel.metadata["retries"] == .integer(3))
        #expect(tunnel.metadata["ratio"] == .number(0.5))
        #expect(tunnel.metadata["on"] == .bool(true))
        #expect(tunnel.metadata["tags"] == .array([.string("a"), .null]))
        #expect(tunnel.lastDisconnectedAt != nil)
    }

    @Test func `a tunnel survives being written and read again`() throws {
        let tunnel = try ClientJSON.decoder().decode(TunnelRecord.self, from: Data(DocumentedAnswer.ofAnIdentity.utf8))
        let written = try ClientJSON.encoder().encode(tunnel)
        #expect(try ClientJSON.decoder().decode(TunnelRecord.self, from: written) == tunnel)
        #expect(String(decoding: written, as: UTF8.self).contains("\"2026-04-21T12:30:00.123456Z\""), "no digit is lost")
    }

    @Test(arguments: [
        (TunnelChange(), "{}"),
        (TunnelChange(description: .set("x")), #"{"description":"x"}"#),
        (TunnelChange(description: .clear), #"{"description":null}"#),
        (TunnelChange(metadata: .set(["a": .integer(1)])), #"{"metadata":{"a":1}}"#),
        (TunnelChange(description: .clear, metadata: .clear), #"{"description":null,"metadata":null}"#),
    ])
    func `a change says what to leave, set and clear`(change: TunnelChange, body: String) async throws {
        let scripted = try ScriptedClient([.json(200, DocumentedAnswer.ofAnIdentity)])
        _ = try await scripted.client.updateTunnel(id: "i", change)
        #expect(scripted.transport.sent[0].method == "PATCH")
        #expect(String(decoding: scripted.transport.sent[0].body, as: UTF8.self) == body)
    }

    @Test func `every call on one tunnel goes where the contract says`() async throws {
        let scripted = try ScriptedClient(
            [ScriptedTransport.Step](repeating: .json(200, DocumentedAnswer.ofAnIdentity), count: 3) + [
                .json(200, DocumentedAnswer.rotated)
            ])
        _ = try await scripted.client.deleteTunnel(id: "i")
        _ = try await scripted.client.restoreTunnel(id: "i")
        _ = try await scripted.client.forceDeleteTunnel(id: "i")
        #expect(try await scripted.client.rotateConnectSecret(tunnelID: "i") == "tnl_a4b3c2d1e0f9a8b7c6d5e4f3a2b1c0d9")
        #expect(
            scripted.transport.sent.map { "\($0.method) \($0.target)" } == [
                "DELETE /api/v1/tunnels/i", "POST /api/v1/tunnels/i/restore", "DELETE /api/v1/tunnels/i/force",
                "POST /api/v1/tunnels/i/rotate-secret",
            ])
    }

    @Test func `an id stays one path segment whatever it contains`() async throws {
        let scripted = try ScriptedClient([.json(200, DocumentedAnswer.ofAnIdentity)], server: "https://tunnels.example/base")
        _ = try await scripted.client.tunnel(id: "../é?#/x")
        #expect(scripted.transport.sent[0].target == "/base/api/v1/tunnels/%2E%2E%2F%C3%A9%3F%23%2Fx")
    }

    @Test func `an answer outside the contract names the member that is wrong`() async throws {
        let scripted = try ScriptedClient([.json(200, #"{"tunnels": [{"id": "1"}]}"#), .json(200, "<html>"), .json(302, "")])
        await #expect(throws: ClientError.unusableAnswer(status: 200, reason: #"the member "tunnel_name" is missing"#)) {
            try await scripted.client.tunnels()
        }
        await #expect(throws: ClientError.self) { try await scripted.client.tunnels() }
        await #expect(throws: ClientError.self) { try await scripted.client.tunnels() }
    }

    @Test(arguments: ["", "  \n", "two words", "line\nbreak", "ключ", String(repeating: "k", count: 513)])
    func `a key that could not stand in a header is refused before anything is sent`(key: String) async throws {
        let transport = ScriptedTransport([])
        let client = CulvertClient(
            server: try ServerURL(validating: "https://tunnels.example"), apiKey: .fixed(key), transport: transport)
        do {
            _ = try await client.tunnels()
            Issue.record("the key was accepted")
        } catch {
            guard case .credentialUnusable(let reason) = error else { throw error }
            #expect(key.isEmpty || !reason.contains(key), "the message must not show the key")
        }
        #expect(transport.sent.isEmpty)
    }

    @Test func `a key file's newline is not part of the key`() async throws {
        let transport = ScriptedTransport([.json(200, #"{"tunnels":[]}"#)])
        let client = CulvertClient(
            server: try ServerURL(validating: "https://tunnels.example"),
            apiKey: .fixed(" " + String(repeating: "k", count: 512) + "\r\n"), transport: transport)
        _ = try await client.tunnels()
        #expect(transport.sent[0].first("x-api-key")?.utf8.count == 512)
    }

    @Test func `a server without a self-description is no error`() async throws {
        let scripted = try ScriptedClient([
            .json(404, "{}"), .json(200, #"{"zone":"localhost","https_port":8443,"http_port":null}"#),
        ])
        #expect(try await scripted.client.serviceDescription() == nil)
        #expect(try await scripted.client.serviceDescription() == ServiceDescription(zone: "localhost", httpsPort: 8443))
        #expect(scripted.transport.sent[0].first("x-api-key") == nil, "a discovery request needs no key and shows none")
    }
}
