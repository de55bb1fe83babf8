import Foundation
@testable import HTTPTransport
import LinuxIO
import TestSupport
import Testing

@testable import TunnelEdge

/// A WebSocket whose agent does not read: what waits for room in its windows, and what becomes of it.
struct BridgeRoomTests {
    /// A world with one WebSocket that waits for its agent's window.
    private static func stuckWorld() throws -> (Simulation, SimulatedWebSocket) {
        let world = try Simulation(isNarrow: true)
        let agent = try world.connectAgent(0, features: nil, poolSize: 1, showsKey: false)
        agent.park()
        let thirdParty = try world.connectThirdParty(isHTTP2: true, to: 0)
        let clock = world.clock
        let webSocket = SimulatedWebSocket(number: 0, tunnel: 0, answersClose: true, now: { clock.instant })
        try world.ask(thirdParty, webSocket)
        world.deliverAll()
        let job = try #require(agent.jobs.first)
        agent.reply(to: job, SimulatedReply(number: 0, bodyByteCount: 0, isInvalid: false, status: 200))
        world.deliverAll()
        agent.bind(webSocket, job)
        for _ in 0..<4 {
            webSocket.say(isText: false, byteCount: 1_200, pieceCount: 1)
            webSocket.goOn(1, messageByteCountMax: Simulation.messageByteCountMax)
        }
        world.deliverAll()
        return (world, webSocket)
    }

    private static func waitingCount(_ world: Simulation) -> Int {
        world.front.openConnections.reduce(0) { $0 + (($1 as? HTTP2Connection)?.waitingForRoom.count ?? 0) }
    }

    @Test func `however often a third party pings, its WebSocket waits for room once`() async throws {
        let (hasAllPongs, waitingCount) = try await onThread {
            let (world, webSocket) = try Self.stuckWorld()
            defer { world.end() }
            for _ in 0..<40 { webSocket.ping() }
            world.deliverAll()
            return (webSocket.hasAllPongs, Self.waitingCount(world))
        }
        #expect(hasAllPongs)
        #expect(waitingCount == 1)
    }

    @Test func `an agent that is lost while a WebSocket waits for its window is let go of`() async throws {
        let (waitingCount, code, isThere) = try await onThread {
            let (world, webSocket) = try Self.stuckWorld()
            defer { world.end() }
            weak let connection = world.front.openConnections.first { ($0.context as? EdgeConnection)?.link != nil }
            let waitingCount = Self.waitingCount(world)
            for agent in world.agents { agent.wire.cut() }
            world.deliverAll()
            for _ in 0..<4 { world.pass(.seconds(60)) }
            // A task that has done its work lets go of what it held a moment later; there is nothing to wait for.
            for _ in 0..<10_000 where connection != nil { usleep(1_000) }
            return (waitingCount, webSocket.closeHeard?.code, connection != nil)
        }
        #expect(waitingCount == 1)
        #expect(code == 1012)
        #expect(!isThere)
    }
}
