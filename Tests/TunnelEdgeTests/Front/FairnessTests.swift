import HTTPTransport
import TestSupport
import Testing
import TunnelDomain
import TunnelEdge

/// One tunnel at its limit is nobody else's trouble (data plane, section 9).
@Suite(.timeLimit(.minutes(5)))
struct FairnessTests {
    /// What one tunnel is brought to, and what its next third party is told.
    enum Bound: CaseIterable {
        case queue, connections, rate

        func set(_ settings: inout EdgeSettings) {
            settings.pool.queueWait = .seconds(3_600)
            settings.pool.responseDeadline = .seconds(3_600)
            switch self {
            case .queue: settings.pool.queueMax = 2
            case .connections: settings.connectionsPerTunnelMax = 2
            case .rate: settings.pool.requestsPerSecondMax = 1
            }
        }

        /// Asks for one thing more than fits, all at the same time.
        func reach(_ tunnel: TestTunnel, _ edge: EdgeFixture) async throws -> [Call] {
            let calls = Journal<Call>()
            let clients: [EdgeClient]
            switch self {
            case .queue, .rate: clients = Array(repeating: try await edge.thirdParty(of: tunnel), count: 3)
            case .connections:
                clients = [try await edge.thirdParty(), try await edge.thirdParty(), try await edge.thirdParty()]
            }
            try await edge.whileLoopsWait {
                for client in clients { calls.add(try await client.call("GET", "/", host: tunnel.host)) }
            }
            return calls.all
        }

        var refusal: (status: Int, reason: String) {
            switch self {
            case .queue: (503, "agent-busy")
            case .connections: (503, "too-many-connections")
            case .rate: (429, "too-many-requests")
            }
        }
    }

    @Test(arguments: Bound.allCases)
    func `a tunnel at its limit neither slows nor refuses another`(bound: Bound) async throws {
        try await EdgeFixture.run {
            bound.set(&$0)
        } _: { edge in
            let (full, other) = (try await edge.createTunnel("full"), try await edge.createTunnel("other"))
            let (stuck, free) = (try await edge.agent(of: full), try await edge.agent(of: other))
            // The agent of the first takes nothing: its third parties wait, or are refused.
            let calls = try await bound.reach(full, edge)
            let answers = Journal<Answer>()
            for call in calls { Task { answers.add(await call.answer()) } }
            let refused = await answers.wait { !$0.isEmpty }.first
            #expect(refused?.status == bound.refusal.status)
            #expect(refused?.reason == bound.refusal.reason)
            #expect(refused?["retry-after"] == "1")
            let intake = try await free.park()
            let call = try await edge.thirdParty().call("GET", "/free", host: other.host)
            #expect(try await free.reply(await intake.requestID(), body: "at once").status == 200)
            #expect(await call.answer().text == "at once")
            #expect(!stuck.client.isClosed)
            for call in calls { call.reset() }
        }
    }
}
