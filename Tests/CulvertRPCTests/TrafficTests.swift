import TestSupport
import Testing
import TunnelAgent
import TunnelDomain
import TunnelWire

@testable import culvert_rpc

struct TrafficTests {
    private func request(_ path: String = "/", method: String = "GET", body: String = "", fields: [AgentField] = [])
        -> CapturedRequest
    {
        CapturedRequest(
            sequence: 0, agent: "agent-1", tunnel: "abc", receivedAt: Timestamp(secondsSinceEpoch: 0), method: method,
            path: path,
            fields: fields, forwardedFor: "192.0.2.1", body: CapturedBody(Array(body.utf8)))
    }

    @Test func `the ring keeps the newest, up to its number and its bytes`() throws {
        try checkProperty { sample in
            let (countMax, byteCountMax) = (sample.int(in: 1...5), sample.int(in: 300...3000))
            var ring = CaptureRing(countMax: countMax, byteCountMax: byteCountMax)
            for number in 1...sample.int(in: 1...20) {
                let body = String(repeating: "x", count: sample.int(in: 0...1500))
                try sample.check(ring.append(request(body: body)), is: number)
                if sample.bool() {
                    let outcome = CapturedRequest.Outcome(status: 200, body: CapturedBody(Array(body.utf8)), milliseconds: 1)
                    let finished = ring.finish(sample.int(in: 1...number), outcome)
                    try sample.check(finished?.outcome != nil || finished == nil, "it is not finished")
                }
                let kept = ring.requests
                try sample.check(kept.map(\.sequence), is: Array((number - kept.count + 1)...number), "what is kept")
                try sample.check(kept.count <= countMax, "too many are kept")
                let byteCount = kept.reduce(0) { $0 + $1.byteCount }
                try sample.check(byteCount <= byteCountMax || kept.count == 1, "\(byteCount) bytes are kept")
                for request in kept { try sample.check(ring.request(request.sequence)?.sequence, is: request.sequence) }
            }
        }
    }

    @Test(arguments: [
        (#"{"method":"post","path":"/hook"}"#, true), (#"{"path":"/hook?x=1"}"#, false), (#"{"path_contains":"x=1"}"#, true),
        (#"{"path_prefix":"/ho"}"#, true), (#"{"path_prefix":"/x"}"#, false), (#"{"headers":{"X-A":"1"}}"#, true),
        (#"{"headers":{"x-a":"2"}}"#, false), (#"{"headers":{"x-a":null}}"#, true), (#"{"headers":{"x-b":null}}"#, false),
        (#"{"body_contains":"\"n\":"}"#, true), (#"{"body_json":{"n":1.0}}"#, true), (#"{"body_json":{"n":2}}"#, false),
        (#"{"body_json":{"list":[{"a":1}]}}"#, true), (#"{"body_json":{"list":[]}}"#, false), (#"{"tunnel":"other"}"#, false),
        (#"{"status":200}"#, false), ("{}", true),
    ])
    func `a filter means what it says`(text: String, matches: Bool) throws {
        let filter = RequestFilter(try JSON(parsing: Array(text.utf8)))
        let request = request(
            "/hook?x=1", method: "POST", body: #"{"n":1,"list":[{"a":1,"b":2}]}"#, fields: [AgentField("x-a", "1")])
        #expect(filter.matches(request) == matches, "\(filter.mismatch(of: request) ?? "-")")
    }

    /// Every filter that would tell a right guess of a secret, or of a part of it, from a wrong one.
    @Test(arguments: [
        #"{"headers":{"cookie":"GUESS"}}"#, #"{"path_contains":"GUESS"}"#, #"{"path_contains":"key=GUES"}"#,
        #"{"body_contains":"GUESS"}"#, #"{"body_contains":"\"password\": \"GUE"}"#, #"{"body_json":{"password":"GUESS"}}"#,
        #"{"body_json":{"password":"GUESS","z":1}}"#, #"{"path":"/GUESS"}"#, #"{"path_prefix":"/GUESS"}"#,
    ])
    func `a filter of a model does not tell whether a guess is right`(text: String) throws {
        let secret = "ApiKey_0123456789abcdefghij"
        let request = request(
            "/\(secret)?api_key=\(secret)", body: #"{"password": "\#(secret)", "n": 1}"#,
            fields: [AgentField("cookie", secret)])
        func difference(_ guess: String, isBlind: Bool) throws -> String? {
            let filter = try JSON(
                parsing: Array(
                    text.replacing("GUESS", with: guess).replacing("GUES", with: guess.prefix(9))
                        .replacing("GUE", with: guess.prefix(8)).utf8))
            return RequestFilter(filter, isBlind: isBlind).mismatch(of: request)
        }
        let wrong = String(secret.reversed())
        let (right, other) = (try difference(secret, isBlind: true), try difference(wrong, isBlind: true))
        #expect(right != nil && right == other)
        let (seen, missed) = (try difference(secret, isBlind: false), try difference(wrong, isBlind: false))
        #expect(seen != missed, "the filter has no eyes at all")
    }

    @Test(arguments: [
        (#"{"headers":{"cookie":null}}"#, true), (#"{"body_json":{"n":1}}"#, true), (#"{"body_contains":"\"n\":1"}"#, true),
        (#"{"path_prefix":"/a"}"#, true), (#"{"path_contains":"api_key="}"#, true), (#"{"body_contains":"nothing"}"#, false),
    ])
    func `a filter of a model sees what the model is shown`(text: String, matches: Bool) throws {
        let request = request(
            "/a?api_key=x", body: #"{"password": "x", "n": 1}"#, fields: [AgentField("cookie", "x")])
        #expect(RequestFilter(try JSON(parsing: Array(text.utf8)), isBlind: true).matches(request) == matches)
    }

    @Test func `a body that no secret can be seen in is not shown when there may be one`() {
        let gzip = [AgentField("content-encoding", "gzip")]
        let body = CapturedBody(Array("abc".utf8))
        #expect(ShownBody(body, gzip) == .hidden(reason: "it is encoded as gzip"))
        #expect(ShownBody(body, [AgentField("content-encoding", "identity")]) == .text("abc"))
        let wide = CapturedBody(Array(#"{"password":"hunter2"}"#.utf8).flatMap { [$0, 0] })
        guard case .hidden = ShownBody(wide, []) else {
            Issue.record("UTF-16 hides a secret")
            return
        }
        #expect(ShownBody(CapturedBody([0, 0xFF, 0x41]), []) == .bytes)
        #expect(ShownBody(CapturedBody(Array(#"{"n": 1.0}"#.utf8)), []) == .text(#"{"n": 1.0}"#))
    }

    @Test func `a difference is named by its place`() throws {
        let wanted = try JSON(parsing: Array(#"{"a":{"b":[1,{"c":2}]}}"#.utf8))
        let found = try JSON(parsing: Array(#"{"a":{"b":[1,{"c":3}]},"x":0}"#.utf8))
        #expect(wanted.firstDifference(in: found) == "/a/b/1/c")
        #expect(wanted.firstDifference(in: wanted) == nil)
    }

    private func log() -> TrafficLog { TrafficLog(limits: Limits()) { _ in } }

    @Test func `who waits gets what is there, what comes, or nothing in time`() async throws {
        let log = log()
        let first = log.begin(request("/a"))
        #expect(try await log.wait(for: RequestFilter(nil), after: 0, seconds: 0) == nil)
        log.finish(first, CapturedRequest.Outcome(status: 200, milliseconds: 1))
        #expect(try await log.wait(for: RequestFilter(nil), after: 0, seconds: 0)?.sequence == first)
        #expect(try await log.wait(for: RequestFilter(nil), after: first, seconds: 0) == nil)
        async let next = log.wait(for: RequestFilter(nil), after: first, seconds: 60)
        let second = log.begin(request("/b"))
        log.finish(second, CapturedRequest.Outcome(status: 404, milliseconds: 1))
        #expect(try await next?.path == "/b")
    }

    @Test func `who is cancelled waits no more`() async {
        let log = log()
        let waiting = Task { try await log.wait(for: RequestFilter(nil), after: 0, seconds: 3600) }
        waiting.cancel()
        await #expect(throws: CancellationError.self) { try await waiting.value }
    }

    @Test func `what is shown is cut, marked and without secrets, unless it is asked for`() {
        let secret = "tnl_0123456789abcdef0123456789abcdef"
        var request = request("/?token=\(secret)", body: "a \(secret) b", fields: [AgentField("cookie", secret)])
        request.sequence = 7
        let shown = TrafficDocument(bodyCharacterCountMax: 8).whole(request)
        #expect(!shown.text.contains(secret) && shown["trust"] == .string("untrusted"))
        #expect(shown["body"]?["text"] == .string("a [redac") && shown["body"]?["is_truncated"] == .bool(true))
        #expect(TrafficDocument(isRevealing: true, bodyCharacterCountMax: 8).whole(request).text.contains(secret))
    }

    @Test func `a body that was cut within a character is still text`() {
        let body = CapturedBody(Array("é€😀".utf8), keeping: 7)
        var request = request()
        request.body = body
        #expect(TrafficDocument(bodyCharacterCountMax: 100).whole(request)["body"]?["text"] == .string("é€"))
        request.body = CapturedBody([0xFF, 0x00])
        #expect(TrafficDocument(bodyCharacterCountMax: 100).whole(request)["body"]?["base64"] == .string("/wA="))
    }
}
