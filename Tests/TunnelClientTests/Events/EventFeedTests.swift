internal import Synchronization
internal import Testing
internal import TunnelClient

struct EventFeedTests {
    private static func frame(_ id: Int, _ type: String = "tunnel.created") -> String {
        "id: \(id)\nevent: \(type)\ndata: {\"occurred_at\":\"2026-04-21T12:30:00Z\",\"data\":{\"tunnel_name\":\"t\(id)\"}}\n\n"
    }

    private static let refused = ScriptedTransport.Step.json(403, #"{"detail":"no"}"#)

    /// Reads until the script ends it with a refusal.
    private func read(
        _ steps: [ScriptedTransport.Step], types: [EventType] = [], after id: String? = nil
    ) async throws -> (scripted: ScriptedClient, events: [ServiceEvent], error: ClientError?) {
        let scripted = try ScriptedClient(steps)
        var events: [ServiceEvent] = []
        do {
            for try await event in scripted.client.events(types: types, after: id) { events.append(event) }
        } catch {
            return (scripted, events, error)
        }
        return (scripted, events, nil)
    }

    @Test func `the request says what is wanted and from where`() async throws {
        let types = [EventType(rawValue: "tunnel.created"), EventType(rawValue: "key.rotated")]
        let result = try await read([Self.refused], types: types, after: "41")
        let request = result.scripted.transport.sent[0]
        #expect(request.method == "GET")
        #expect(request.target == "/api/v1/events?types=tunnel%2Ecreated%2Ckey%2Erotated")
        #expect(request.first("accept") == "text/event-stream")
        #expect(request.first("last-event-id") == "41")
        #expect(request.first("x-api-key") == "ApiKey_test")
        #expect(result.error == .refused(ServerRefusal(status: 403, detail: "no")))
    }

    @Test func `without a place to begin, none is sent`() async throws {
        let result = try await read([Self.refused])
        #expect(result.scripted.transport.sent[0].first("last-event-id") == nil)
        #expect(result.scripted.transport.sent[0].target == "/api/v1/events")
    }

    @Test func `an event is read whole`() async throws {
        let result = try await read([.stream([Self.frame(7, "tunnel.new_kind")], then: .inGoodOrder), Self.refused])
        let event = try #require(result.events.first)
        #expect(event.streamID == "7")
        #expect(event.type == EventType(rawValue: "tunnel.new_kind"), "a type that is not known is kept")
        #expect(event.text("tunnel_name") == "t7")
        #expect(event.occurredAt != nil)
    }

    @Test(arguments: Array(0...frame(2).utf8.count))
    func `a connection that breaks anywhere loses and repeats nothing`(cut: Int) async throws {
        let second = Self.frame(2)
        let part = String(decoding: Array(second.utf8)[..<cut], as: UTF8.self)
        let isComplete = cut == second.utf8.count
        let rest = isComplete ? Self.frame(3) : second + Self.frame(3)
        let result = try await read([
            .stream([Self.frame(1), part], then: .lost(.connectionLost(reason: "reset"))),
            .fail(.unreachable(reason: "refused")), .stream([rest], then: .inGoodOrder), Self.refused,
        ])
        #expect(result.events.map(\.streamID) == ["1", "2", "3"])
        #expect(
            result.scripted.transport.sent.map { $0.first("last-event-id") }
                == [nil, isComplete ? "2" : "1", isComplete ? "2" : "1", "3"])
        #expect(result.scripted.pauses.all == [.seconds(1), .seconds(2), .seconds(1)])
    }

    @Test func `a server that sends the last event again is not believed`() async throws {
        let result = try await read([
            .stream([Self.frame(1) + Self.frame(2)], then: .inGoodOrder),
            .stream([Self.frame(2) + Self.frame(3)], then: .inGoodOrder),
            Self.refused,
        ])
        #expect(result.events.map(\.streamID) == ["1", "2", "3"])
    }

    @Test func `a place without an event is resumed behind`() async throws {
        let result = try await read([.stream(["id: 90\n\n"], then: .inGoodOrder), Self.refused])
        #expect(result.scripted.transport.sent[1].first("last-event-id") == "90")
    }

    @Test func `the server's pause is kept`() async throws {
        let result = try await read([.stream(["retry: 4000\n\n"], then: .inGoodOrder), Self.refused])
        #expect(result.scripted.pauses.all == [.seconds(4)])
    }

    @Test(
        arguments: [
            (.stream(["data: not JSON\n\n"], then: .never), "an event is not a JSON object"),
            (.stream(["data: []\n\n"], then: .never), "an event is not a JSON object"),
            (
                .json(200, "{}", fields: [("content-type", "application/json")]),
                "it is no stream of events. Is the server URL right?"
            ),
        ] as [(ScriptedTransport.Step, String)])
    func `what is no stream of events is told`(step: ScriptedTransport.Step, reason: String) async throws {
        #expect(try await read([step]).error == .unusableAnswer(status: 200, reason: reason))
    }

    @Test func `a feed that does not follow ends when it has caught up`() async throws {
        let scripted = try ScriptedClient([
            .stream([Self.frame(1), Self.frame(2) + ": keep-alive\n\n" + Self.frame(3)], then: .never)
        ])
        let seen = Mutex<[EventFeed.Notice]>([])
        var ids: [String?] = []
        let feed = scripted.client.events(after: "0", isFollowing: false) { notice in seen.withLock { $0.append(notice) } }
        for try await event in feed { ids.append(event.streamID) }
        #expect(ids.prefix(2) == ["1", "2"])
        #expect(seen.withLock { $0 } == [.connected, .caughtUp])
    }

    @Test func `a server that was never reached is told`() async throws {
        let unreachable = TransportFailure.unreachable(reason: "refused")
        let result = try await read([.fail(unreachable), .fail(unreachable), .fail(unreachable), Self.refused])
        #expect(result.error == .noAnswer(unreachable))
        #expect(result.scripted.pauses.all == [.seconds(1), .seconds(2)])
    }

    @Test func `a feed that does not follow gives up in the end`() async throws {
        let scripted = try ScriptedClient(
            [ScriptedTransport.Step](repeating: .stream([], then: .inGoodOrder), count: 4) + [Self.refused])
        await #expect(throws: ClientError.self) {
            for try await _ in scripted.client.events(after: "0", isFollowing: false) {}
        }
        #expect(scripted.transport.sent.count == 3)
    }

    @Test func `cancelling ends it`() async throws {
        let scripted = try ScriptedClient([.stream([Self.frame(1)], then: .never)])
        let feed = scripted.client.events()
        let (firsts, continuation) = AsyncStream.makeStream(of: Void.self)
        let task = Task { () -> ClientError? in
            do throws(ClientError) {
                for try await _ in feed { continuation.yield() }
                return nil
            } catch { return error }
        }
        for await _ in firsts { break }
        task.cancel()
        #expect(await task.value == .cancelled)
    }
}
