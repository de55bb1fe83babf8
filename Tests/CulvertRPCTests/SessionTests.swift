import Synchronization
import Testing
import TunnelWire

@testable import culvert_rpc

struct SessionTests {
    /// Methods for tests: one that answers, one that fails, one that waits until it is let go or cancelled.
    private struct ScriptedFront: SessionFront {
        let gate: AsyncStream<Void>

        func work(for method: String, _ call: Call, isNotification: Bool) -> Result<Work, JSONRPCError> {
            switch method {
            case "echo": .success(.now { $0.params.json ?? .null })
            case "fail": .success(.now { _ in throw RPCFailure.notFound("nothing") })
            case "later": .success(.later(.call) { $0.params.json ?? .null })
            case "hang":
                .success(
                    .later(.call) { [gate] _ in
                        for await _ in gate {}
                        try Task.checkCancellation()
                        return .null
                    })
            default: .failure(.methodNotFound(method))
            }
        }
        func reporter(_ method: String, _ params: JSONRPCParams, _ session: Session) -> (@Sendable (Progress) -> Void)? { nil }
        func error(_ error: any Error) -> JSONRPCError { RPCFailure.describe(error) }
    }

    private final class Said: Sendable {
        private let lines = Mutex<[String]>([])
        private let (beginnings, beginning) = AsyncStream.makeStream(of: Void.self)

        func add(_ bytes: [UInt8]) {
            lines.withLock { $0.append(String(decoding: bytes, as: UTF8.self)) }
            beginning.yield()
        }

        /// Returns when something was said.
        func first() async { for await _ in beginnings { return } }
        var all: [String] { lines.withLock { $0 }.map { String($0.dropLast()) } }
    }

    private let said = Said()
    private let gate: AsyncStream<Void>
    private let open: AsyncStream<Void>.Continuation

    init() { (gate, open) = AsyncStream.makeStream(of: Void.self) }

    private func session(_ limits: Limits = Limits()) -> Session {
        Session(limits: limits, front: ScriptedFront(gate: gate)) { [said] in said.add($0) }
    }

    private func put(_ text: String, to session: Session) throws {
        session.receive(.value(try JSON(parsing: Array(text.utf8))), framing: .lines)
    }

    @Test func `calls are answered, notifications are not, and what is unknown is said to be`() throws {
        let session = session()
        try put(#"{"jsonrpc":"2.0","id":1.50,"method":"echo","params":[1]}"#, to: session)
        try put(#"{"jsonrpc":"2.0","method":"echo","params":[1]}"#, to: session)
        try put(#"{"jsonrpc":"2.0","id":"a","method":"fail"}"#, to: session)
        try put(#"{"jsonrpc":"2.0","id":null,"method":"nope"}"#, to: session)
        try put(#"{"jsonrpc":"2.0","id":5,"result":1}"#, to: session)
        #expect(
            said.all == [
                #"{"jsonrpc":"2.0","id":1.50,"result":[1]}"#,
                #"{"jsonrpc":"2.0","id":"a","error":{"code":1003,"message":"nothing"}}"#,
                #"{"jsonrpc":"2.0","id":null,"error":{"code":-32601,"message":"nope"}}"#,
            ])
    }

    @Test func `a batch is answered at once, and not at all when it has only notifications`() async throws {
        let session = session()
        try put(
            """
            [{"jsonrpc":"2.0","id":1,"method":"echo"},{"jsonrpc":"2.0","method":"echo"},
            {"jsonrpc":"2.0","id":2,"method":"later"}]
            """,
            to: session)
        try put(#"[{"jsonrpc":"2.0","method":"echo"}]"#, to: session)
        await session.finished()
        #expect(said.all == [#"[{"jsonrpc":"2.0","id":1,"result":null},{"jsonrpc":"2.0","id":2,"result":null}]"#])
    }

    @Test func `a call that is cancelled says so, in line or under way`() async throws {
        var limits = Limits()
        try limits.set("calls=1")
        let session = session(limits)
        try put(#"{"jsonrpc":"2.0","id":1,"method":"hang"}"#, to: session)
        try put(#"{"jsonrpc":"2.0","id":2,"method":"later"}"#, to: session)
        try put(#"{"jsonrpc":"2.0","id":3,"method":"later"}"#, to: session)
        try put(#"{"jsonrpc":"2.0","method":"$/cancelRequest","params":{"id":2}}"#, to: session)
        #expect(said.all == [#"{"jsonrpc":"2.0","id":2,"error":{"code":-32800,"message":"the call was cancelled"}}"#])
        try put(#"{"jsonrpc":"2.0","method":"$/cancelRequest","params":{"id":1}}"#, to: session)
        await session.finished()
        #expect(said.all.count == 3 && said.all[1].contains("-32800") && said.all[2].contains(#""id":3,"result""#))
    }

    @Test func `the Model Context Protocol gets no answer to what it took back`() async throws {
        let session = session()
        try put(#"{"jsonrpc":"2.0","id":1,"method":"hang"}"#, to: session)
        try put(#"[{"jsonrpc":"2.0","id":2,"method":"hang"},{"jsonrpc":"2.0","id":3,"method":"echo"}]"#, to: session)
        for id in [1, 2] {
            try put(#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":\#(id)}}"#, to: session)
        }
        await session.finished()
        #expect(said.all == [#"[{"jsonrpc":"2.0","id":3,"result":null}]"#])
    }

    @Test func `more calls than may stand in line are refused, and the others run`() async throws {
        var limits = Limits()
        try limits.set("calls=1")
        try limits.set("queued-calls=1")
        let session = session(limits)
        for id in 1...3 { try put(#"{"jsonrpc":"2.0","id":\#(id),"method":"hang"}"#, to: session) }
        #expect(said.all.count == 1 && said.all[0].contains(#""id":3,"error":{"code":1011"#))
        open.finish()
        await session.finished()
        #expect(said.all.count == 3)
    }

    @Test func `answers of open batches take so many bytes, and beyond that errors stand in for them`() async throws {
        var limits = Limits()
        try limits.set("batch-bytes=1024")
        let session = session(limits)
        let frame = #"{"jsonrpc":"2.0","id":1,"result":[""]}"#
        let fits = String(repeating: "x", count: 1024 - frame.utf8.count)
        func call(_ text: String, _ id: Int = 1) -> String {
            #"{"jsonrpc":"2.0","id":\#(id),"method":"echo","params":["\#(text)"]}"#
        }
        try put("[\(call(fits))]", to: session)
        #expect(said.all.last == #"[{"jsonrpc":"2.0","id":1,"result":["\#(fits)"]}]"#)
        try put("[\(call(fits + "x"))]", to: session)
        #expect(said.all.last?.hasPrefix(#"[{"jsonrpc":"2.0","id":1,"error":{"code":1011"#) == true)
        // One that is open leaves less for the others, and gives it back.
        try put(#"[\#(call(fits)),{"jsonrpc":"2.0","id":2,"method":"hang"}]"#, to: session)
        try put("[\(call("y", 3))]", to: session)
        #expect(said.all.last?.hasPrefix(#"[{"jsonrpc":"2.0","id":3,"error":{"code":1011"#) == true)
        open.finish()
        await session.finished()
        try put("[\(call(fits, 4))]", to: session)
        #expect(said.all.count == 5 && said.all.last?.hasPrefix(#"[{"jsonrpc":"2.0","id":4,"result""#) == true)
    }

    @Test func `a single answer is as long as it is`() throws {
        var limits = Limits()
        try limits.set("batch-bytes=1024")
        let session = session(limits)
        try put(#"{"jsonrpc":"2.0","id":1,"method":"echo","params":["\#(String(repeating: "x", count: 5000))"]}"#, to: session)
        #expect(said.all.last?.utf8.count ?? 0 > 5000)
    }

    @Test func `what is too much to stand in line is refused`() async throws {
        var limits = Limits()
        try limits.set("calls=1")
        try limits.set("queued-bytes=1024")
        let session = session(limits)
        try put(#"{"jsonrpc":"2.0","id":1,"method":"hang"}"#, to: session)
        for (id, count) in [(2, 1020), (3, 1021 - 1020), (4, 1)] {
            let text = String(repeating: "x", count: count)
            try put(#"{"jsonrpc":"2.0","id":\#(id),"method":"later","params":["\#(text)"]}"#, to: session)
        }
        #expect(said.all.count == 2 && said.all.allSatisfy { $0.contains(#""error":{"code":1011"#) })
        open.finish()
        await session.finished()
        #expect(said.all.count == 4)
    }

    @Test func `what was refused by the reader is answered under its id`() {
        let session = session()
        session.receive(.refused(JSONRPCRefusal(id: .string("x"), error: .parseError("no"))), framing: .headers)
        #expect(
            said.all == ["Content-Length: 65\r\n\r\n" + #"{"jsonrpc":"2.0","id":"x","error":{"code":-32700,"message":"no"}"#])
    }

    // MARK: - Asking the client

    private static let question = #"{"jsonrpc":"2.0","id":"culvert-1","method":"ask","params":{"n":1}}"#
    private static let params = JSON.members(["n": .integer(1)])

    /// A question that is on its way to the client.
    private func asked(_ session: Session, within limit: Duration = .seconds(3600)) async -> Task<JSON, any Error> {
        let task = Task { try await session.ask("ask", Self.params, within: limit) }
        await said.first()
        return task
    }

    @Test(
        .timeLimit(.minutes(1)),
        arguments: [
            (#"{"jsonrpc":"2.0","id":"culvert-1","result":{"a":1}}"#, #"{"a":1}"#),
            (#"{"jsonrpc":"2.0","id":"culvert-1","error":{"code":5,"message":"no"}}"#, nil),
        ])
    func `the client's answer is that of the question, and one answer is enough`(answer: String, result: String?) async throws {
        let session = session()
        let task = await asked(session)
        #expect(said.all == [Self.question])
        try put(#"{"jsonrpc":"2.0","id":"culvert-2","result":2}"#, to: session)
        try put(answer, to: session)
        try put(#"{"jsonrpc":"2.0","id":"culvert-1","result":3}"#, to: session)
        switch (await task.result, result) {
        case (.success(let value), let result?): #expect(value.text == result)
        case (.failure(let error), nil): #expect(error as? JSONRPCError == JSONRPCError(code: 5, message: "no"))
        case (let other, _): Issue.record("\(other)")
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `a question that nobody waits for any more is taken back`() async throws {
        let session = session()
        let task = await asked(session)
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        let withdrawn =
            #"{"jsonrpc":"2.0","method":"notifications/cancelled","params":"#
            + #"{"requestId":"culvert-1","reason":"the call was cancelled"}}"#
        #expect(said.all == [Self.question, withdrawn])
    }

    @Test(.timeLimit(.minutes(1)))
    func `a question that is not answered in time is taken back`() async throws {
        let session = session()
        let task = await asked(session, within: .milliseconds(1))
        await #expect(throws: Session.Unanswered.self) { try await task.value }
        #expect(said.all.count == 2 && said.all.last?.contains("nobody answered in time") == true)
    }
}
