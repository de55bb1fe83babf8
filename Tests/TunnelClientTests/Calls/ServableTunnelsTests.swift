internal import Testing
internal import TunnelClient

/// Which tunnels a program brings up with its key.
struct ServableTunnelsTests {
    private static let missing = #"{"type":"urn:culvert:problem:insufficient-scope","detail":"no"}"#
    private static let tunnel =
        #"{"id":"t1","tunnel_name":"my-agent","tls_mode":"edge","status":"active","public_host":"h"}"#

    @Test func `a key that sees tunnels names those`() async throws {
        let scripted = try ScriptedClient([.json(200, #"{"tunnels":[\#(Self.tunnel)]}"#)])
        let servable = try await scripted.client.servableTunnels()
        #expect(servable.tunnels.map(\.id) == ["t1"] && !servable.areConnectedByKey)
        #expect(scripted.transport.sent.count == 1)
    }

    @Test func `a key that may do nothing but connect agents is asked what for`() async throws {
        let caller = #"{"auth_type":"api_key","scopes":["tunnel:my-agent:connect"],"connectable_tunnels":[\#(Self.tunnel)]}"#
        let scripted = try ScriptedClient([.json(403, Self.missing), .json(200, caller)])
        let servable = try await scripted.client.servableTunnels()
        #expect(servable.tunnels.map(\.tunnelName) == ["my-agent"] && servable.areConnectedByKey)
        #expect(scripted.transport.sent.last?.target == "/api/v1/whoami")
    }

    @Test(arguments: [#"{"auth_type":"api_key"}"#, #"{"auth_type":"api_key","connectable_tunnels":[]}"#])
    func `a key for no tunnel hears the first refusal`(caller: String) async throws {
        let scripted = try ScriptedClient([.json(403, Self.missing), .json(200, caller)])
        await #expect(throws: ClientError.refused(ServerRefusal(status: 403, code: "insufficient-scope", detail: "no"))) {
            try await scripted.client.servableTunnels()
        }
    }

    @Test func `another refusal is told as it came`() async throws {
        let scripted = try ScriptedClient([.json(403, #"{"type":"urn:culvert:problem:address-not-allowed","detail":"no"}"#)])
        await #expect(throws: ClientError.self) { try await scripted.client.servableTunnels() }
        #expect(scripted.transport.sent.count == 1)
    }
}
