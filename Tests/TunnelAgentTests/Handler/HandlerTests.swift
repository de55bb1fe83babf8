internal import Synchronization
internal import Testing
internal import TunnelAgent

/// An embedded agent whose requests a closure answers.
@Suite(.timeLimit(.minutes(5)))
struct HandlerTests {
    @Test func `the closure gets the request as it was sent`() async throws {
        let (requests, inbox) = AsyncStream<AgentRequest>.makeStream()
        var test = try await AgentUnderTest.connected(
            serving: .handler { request in
                inbox.yield(request)
                return AgentResponse(status: 201, fields: [AgentField("X-Answer", "yes")], body: Array("hello".utf8))
            })
        test.edge.send("r1", "GET", "/a%20b?c=%2F", fields: [("accept", "text/html"), ("cookie", "a=1; b=2")])
        let reply = try await test.reply("r1")
        #expect(reply.status == "201")
        #expect(reply.fields == ["x-answer: yes"])
        #expect(reply.bodyByteCount == 5)
        var iterator = requests.makeAsyncIterator()
        let request = try #require(await iterator.next())
        #expect(request.id == "r1")
        #expect(request.method == "GET")
        #expect(request.path == "/a%20b?c=%2F")
        #expect(request.fields == [AgentField("accept", "text/html"), AgentField("cookie", "a=1; b=2")])
        #expect(request.forwardedFor == "192.0.2.7")
        #expect(request.publicHost == "my-agent.tunnels.test")
        _ = await test.stop()
    }

    @Test(arguments: [0, 1, 65_536, 3_000_000])
    func `a body can be read and written as streams`(byteCount: Int) async throws {
        var test = try await AgentUnderTest.connected(
            serving: .handler { request in
                AgentResponse(
                    status: 200,
                    stream: { writer in
                        for try await piece in request.body { try await writer.write(piece) }
                    })
            })
        test.edge.send(
            "r1", "POST", "/", fields: [("content-length", "\(byteCount)")], body: [UInt8](repeating: 7, count: byteCount))
        #expect(try await test.reply("r1").bodyByteCount == byteCount)
        _ = await test.stop()
    }

    @Test func `a whole body is collected up to the limit and not past it`() async throws {
        var test = try await AgentUnderTest.connected(
            serving: .handler { request in
                do {
                    return AgentResponse(status: 200, body: try await request.body.collect(upTo: 1_000))
                } catch let error as AgentRequestBody.BodyTooLong {
                    return AgentResponse(status: 413, body: Array("\(error.byteCountMax)".utf8))
                }
            })
        test.edge.send("fits", "PUT", "/", body: [UInt8](repeating: 7, count: 1_000))
        #expect(try await test.reply("fits").bodyByteCount == 1_000)
        test.edge.send("past", "PUT", "/", body: [UInt8](repeating: 7, count: 1_001))
        #expect(try await test.reply("past").status == "413")
        _ = await test.stop()
    }

    @Test func `an error of the closure is a 502 that does not tell it`() async throws {
        struct Secretive: Error { var detail = "the database password is wrong" }
        var test = try await AgentUnderTest.connected(serving: .handler { _ in throw Secretive() })
        test.edge.send("r1", "GET", "/")
        let reply = try await test.reply("r1")
        #expect(reply.status == "502")
        #expect(reply.fields.contains("inkbox-reason: target-failed"))
        #expect(try await test.report().problem?.contains("database") == true, "the agent's own log does tell it")
        _ = await test.stop()
    }

    @Test(arguments: [0, 100, 199, 600])
    func `a status that is none is a 502`(status: Int) async throws {
        var test = try await AgentUnderTest.connected(serving: .handler { _ in AgentResponse(status: status) })
        test.edge.send("r1", "GET", "/")
        #expect(try await test.reply("r1").status == "502")
        _ = await test.stop()
    }

    @Test(arguments: [("bad name", "v"), ("name", "line\r\nbreak"), ("", "v")])
    func `a field that HTTP cannot carry is a 502`(name: String, value: String) async throws {
        var test = try await AgentUnderTest.connected(
            serving: .handler { _ in AgentResponse(status: 200, fields: [AgentField(name, value)]) })
        test.edge.send("r1", "GET", "/")
        let reply = try await test.reply("r1")
        #expect(reply.status == "502")
        #expect(reply.fields.contains("inkbox-reason: target-bad-response"))
        _ = await test.stop()
    }

    @Test func `a stream that fails breaks the reply off instead of ending it`() async throws {
        struct Broken: Error {}
        var test = try await AgentUnderTest.connected(
            serving: .handler { _ in
                AgentResponse(
                    status: 200,
                    stream: { writer in
                        try await writer.write("half")
                        throw Broken()
                    })
            })
        test.edge.send("r1", "GET", "/")
        try await test.edgeEvents.wait(for: .replyReset(id: "r1"))
        #expect(!test.edgeEvents.seen.contains(.replyEnded(id: "r1")))
        _ = await test.stop()
    }

    @Test func `the task of a third party that went away is cancelled`() async throws {
        let (ends, outbox) = AsyncStream<String>.makeStream()
        var test = try await AgentUnderTest.connected(
            serving: .handler { _ in
                AgentResponse(
                    status: 200,
                    stream: { writer in
                        do {
                            while true { try await writer.write([UInt8](repeating: 1, count: 64 * 1024)) }
                        } catch {
                            outbox.yield("\(error)")
                            throw error
                        }
                    })
            })
        test.edge.takeReplies(false)
        test.edge.send("r1", "GET", "/")
        _ = try await test.edgeEvents.next { if case .replyBody = $0 { true } else { nil } }
        test.edge.resetReply("r1")
        var iterator = ends.makeAsyncIterator()
        #expect(await iterator.next() == "thirdPartyGone")
        _ = await test.stop()
    }

    @Test func `reading a body whose sender went away throws`() async throws {
        let (ends, outbox) = AsyncStream<String>.makeStream()
        var test = try await AgentUnderTest.connected(
            serving: .handler { request in
                do {
                    for try await _ in request.body { outbox.yield("began") }
                } catch {
                    outbox.yield("\(error)")
                    throw error
                }
                return AgentResponse(status: 200)
            })
        test.edge.send("r1", "POST", "/", fields: [("content-length", "10")], body: [1], isEnd: false)
        var iterator = ends.makeAsyncIterator()
        #expect(await iterator.next() == "began")
        test.edge.resetIntake("r1")
        #expect(await iterator.next() == "thirdPartyGone")
        #expect(try await test.report().status == nil)
        _ = await test.stop()
    }
}
