internal import Testing
internal import TunnelClient

struct RetryPolicyTests {
    static let lost = ScriptedTransport.Step.fail(.connectionLost(reason: "reset"))

    @Test(arguments: [
        lost, .fail(.unreachable(reason: "refused")), .fail(.timedOut(afterSeconds: 30)), .json(502, ""), .json(503, ""),
        .json(504, ""),
    ])
    func `a read is repeated after a failure that may pass`(step: ScriptedTransport.Step) async throws {
        let scripted = try ScriptedClient([step, step, .json(200, #"{"tunnels":[]}"#)])
        #expect(try await scripted.client.tunnels().isEmpty)
        #expect(scripted.pauses.all == [.milliseconds(250), .milliseconds(500)])
    }

    @Test(
        arguments: [
            .fail(.untrustedCertificate(reason: "self-signed")), .json(400, ""), .json(401, ""), .json(404, ""), .json(409, ""),
            .json(429, "", fields: [("retry-after", "1")]), .json(500, ""), .json(503, "", fields: [("retry-after", "11")]),
        ] as [ScriptedTransport.Step])
    func `a failure that will not pass by itself is told at once`(step: ScriptedTransport.Step) async throws {
        let scripted = try ScriptedClient([step])
        await #expect(throws: ClientError.self) { try await scripted.client.tunnels() }
        #expect(scripted.transport.sent.count == 1)
    }

    @Test func `the longest pause that the server may ask for is waited for`() async throws {
        let scripted = try ScriptedClient([
            .json(503, "", fields: [("retry-after", "10")]), .json(200, #"{"tunnels":[]}"#),
        ])
        _ = try await scripted.client.tunnels()
        #expect(scripted.pauses.all == [.seconds(10)])
    }

    @Test func `attempts end at the limit, and the last failure is told`() async throws {
        let scripted = try ScriptedClient([Self.lost, Self.lost, .fail(.timedOut(afterSeconds: 30)), Self.lost])
        await #expect(throws: ClientError.noAnswer(.timedOut(afterSeconds: 30))) { try await scripted.client.tunnels() }
        #expect(scripted.transport.sent.count == 3)
    }

    @Test func `a repeated creation carries the same idempotency key`() async throws {
        let scripted = try ScriptedClient([Self.lost, .json(201, DocumentedAnswer.created)])
        _ = try await scripted.client.createTunnel(named: "my-agent")
        #expect(scripted.transport.sent.map { $0.first("idempotency-key") } == ["key-1", "key-1"])
        #expect(scripted.transport.sent[0].body == scripted.transport.sent[1].body)
    }

    @Test func `what could do harm twice is sent once`() async throws {
        typealias Action = @Sendable (CulvertClient) async throws -> Void
        let actions: [Action] = [
            { _ = try await $0.updateTunnel(id: "i", TunnelChange()) }, { _ = try await $0.deleteTunnel(id: "i") },
            { _ = try await $0.restoreTunnel(id: "i") }, { _ = try await $0.forceDeleteTunnel(id: "i") },
        ]
        for action in actions {
            let scripted = try ScriptedClient([Self.lost])
            await #expect(throws: ClientError.noAnswer(.connectionLost(reason: "reset"))) { try await action(scripted.client) }
            #expect(scripted.transport.sent.count == 1)
        }
    }
}
