import Foundation
import Testing
import TunnelDomain
import TunnelWire

@testable import culvert_hook

struct ConfigTests {
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    static func mistakes(_ text: String, environment: [String: String] = [:]) -> [ConfigMistake] {
        do {
            _ = try HookConfig.parse(Array(text.utf8), path: "f", environment: environment)
            return []
        } catch let problem as ConfigProblem {
            return problem.mistakes
        } catch {
            return [ConfigMistake(pointer: "", line: 0, column: 0, text: "\(error)")]
        }
    }

    static func file(route: String, top: String = "") -> String {
        """
        {"data": "d",\(top)
         "routes": [{"name": "a", "path": "/a", \(route)}]}
        """
    }

    static let good = #""verify": {"kind": "none"}, "action": {"exec": ["/bin/true"]}"#

    @Test func `a small configuration has the documented defaults`() throws {
        let config = try HookConfig.parse(Array(Self.file(route: Self.good).utf8), path: "/etc/hooks/f", environment: [:])
        let route = try #require(config.routes.first)
        #expect(config.data == "/etc/hooks/d")
        #expect(config.limits.pendingEventsMax == 100_000)
        #expect(config.limits.pendingByteCountMax == 1 << 30)
        #expect(config.limits.retryAfterSeconds == 30)
        #expect(config.bodyByteCountMax == 1 << 20)
        #expect(config.receivingByteCountMax == 256 << 20)
        #expect(config.searchStepCountMax == 1_000_000)
        #expect(config.retention == .seconds(168 * 3600))
        #expect(config.metricsPath == "/metrics")
        #expect(route.methods == ["POST"])
        #expect(route.concurrencyMax == 1)
        #expect(route.timeout == .seconds(300))
        #expect(route.plan == .usual)
        #expect(route.expiry == nil)
        #expect(route.response.status == 202)
        #expect(route.tolerance == .seconds(300))
    }

    @Test(arguments: [
        (#""verify": {"kind": "none"}"#, "/routes/0", "“action” is missing"),
        (#""action": {"exec": ["/bin/true"]}"#, "/routes/0", "“verify” is missing"),
        (good + #", "concurrency": 0"#, "/routes/0/concurrency", "from 1 to 256"),
        (good + #", "concurrency": 257"#, "/routes/0/concurrency", "from 1 to 256"),
        (good + #", "concurency": 1"#, "/routes/0/concurency", "is unknown here"),
        (good + #", "retries": {"attempts": 101}"#, "/routes/0/retries/attempts", "from 1 to 100"),
        (
            good + #", "retries": {"firstSeconds": 9, "maxSeconds": 8}"#, "/routes/0/retries/maxSeconds",
            "shorter than the first"
        ),
        (good + #", "orderBy": "key""#, "/routes/0/orderBy", "no JSON pointer"),
        (good + #", "when": {"header": "x"}"#, "/routes/0/when", "exactly one of equals"),
        (good + #", "when": {"json": "/a", "matches": "("}"#, "/routes/0/when/matches", "missing closing parenthesis"),
        (good + #", "when": {"json": "/a", "matches": "[a&&b]"}"#, "/routes/0/when/matches", "“&&” of two classes"),
        (good + #", "when": {"any": [], "header": "x"}"#, "/routes/0/when", "exactly one of all"),
        (good + #", "url": "hooks.example""#, "/routes/0/url", "no scheme and host"),
        (good + #", "response": {"status": 500}"#, "/routes/0/response/status", "from 200 to 299"),
        (
            #""verify": {"kind": "github", "secrets": []}, "action": {"exec": ["/bin/true"]}"#, "/routes/0/verify/secrets",
            "at least one"
        ),
        (
            #""verify": {"kind": "svix", "secrets": [{"value": "!"}]}, "action": {"exec": ["/bin/true"]}"#,
            "/routes/0/verify/secrets/0", "whsec_"
        ),
        (
            #""verify": {"kind": "all", "of": []}, "action": {"exec": ["/bin/true"]}"#, "/routes/0/verify", "let everybody in"
        ),
        (
            #""verify": {"kind": "addresses", "ranges": ["10.0.0.1/8"]}, "action": {"exec": ["/bin/true"]}"#,
            "/routes/0/verify/ranges/0", "no address range"
        ),
        (
            #""verify": {"kind": "none"}, "action": {"http": {"url": "ftp://x"}}"#, "/routes/0/action/http/url",
            "does not begin with https:// or http://"
        ),
        (
            #""verify": {"kind": "hmac", "secrets": [{"value": "s"}], "header": "x-s", "timestampHeader": "X-Time"},"#
                + #" "action": {"exec": ["/bin/true"]}"#,
            "/routes/0/verify", "is not signed"
        ),
        (
            #""verify": {"kind": "none"}, "action": {"exec": ["/bin/true"], "user": "no-such-user"}"#, "/routes/0/action/user",
            "no user"
        ),
        (
            #""verify": {"kind": "none"}, "action": {"http": {"url": "http://x", "forward": ["Host"]}}"#,
            "/routes/0/action/http/forward/0", "belongs to the connection"
        ),
        (
            #""verify": {"kind": "none"}, "action": {"http": {"url": "http://x", "headers": {"Content-Length": "1"}}}"#,
            "/routes/0/action/http/headers/Content-Length", "belongs to the connection"
        ),
        (#""verify": {"kind": "none"}, "action": {"rpc": {"method": "m"}}"#, "/routes/0/action/rpc", "exactly one of"),
        (
            #""verify": {"kind": "none"}, "action": {"rpc": {"method": "m", "socket": "/s", "command": ["/bin/cat"]}}"#,
            "/routes/0/action/rpc", "exactly one of"
        ),
        (
            #""verify": {"kind": "none"}, "action": {"rpc": {"method": "m", "socket": "/s", "env": {}}}"#,
            "/routes/0/action/rpc/env", "not for one at a socket"
        ),
        (
            #""verify": {"kind": "none"}, "#
                + #""action": {"rpc": {"method": "m", "socket": "/\#(String(repeating: "s", count: 107))"}}"#,
            "/routes/0/action/rpc/socket", "longer than the 107 bytes"
        ),
    ])
    func `a mistake is told with its place`(route: String, pointer: String, words: String) {
        let mistakes = Self.mistakes(Self.file(route: route))
        #expect(mistakes.contains { $0.pointer == pointer && $0.text.contains(words) && $0.line == 2 }, "\(mistakes)")
    }

    @Test(arguments: [(1_048_576, true), (1_048_575, false)])
    func `the room for bodies that are being received holds at least one`(byteCount: Int, isGood: Bool) {
        let mistakes = Self.mistakes(Self.file(route: Self.good, top: #" "limits": {"receivingBytes": \#(byteCount)},"#))
        #expect(mistakes.map(\.pointer) == (isGood ? [] : ["/limits/receivingBytes"]))
    }

    @Test(arguments: [(999, false), (1_000, true), (100_000_000, true), (100_000_001, false)])
    func `the steps of searches have a range`(stepCount: Int, isGood: Bool) {
        let mistakes = Self.mistakes(Self.file(route: Self.good, top: #" "limits": {"matchSteps": \#(stepCount)},"#))
        #expect(mistakes.map(\.pointer) == (isGood ? [] : ["/limits/matchSteps"]))
    }

    @Test(arguments: [(-1, false), (0, true), (1_048_576, true), (1_048_577, false)])
    func `what is kept of an answer has a range`(byteCount: Int, isGood: Bool) {
        let action = #"{"http": {"url": "https://h.example/", "outputBytes": \#(byteCount)}}"#
        let mistakes = Self.mistakes(Self.file(route: #""verify": {"kind": "none"}, "action": \#(action)"#))
        #expect(mistakes.map(\.pointer) == (isGood ? [] : ["/routes/0/action/http/outputBytes"]))
    }

    @Test func `all mistakes are told at once, and a secret never`() {
        let route = #""verify": {"kind": "svix", "secrets": [{"value": "s3cret!"}]}, "action": {}, "expireSeconds": -1"#
        let mistakes = Self.mistakes(Self.file(route: route, top: #" "limits": {"events": 0},"#))
        #expect(
            mistakes.map(\.pointer).sorted() == [
                "/limits/events", "/routes/0/action", "/routes/0/expireSeconds", "/routes/0/verify/secrets/0",
            ])
        #expect(!mistakes.contains { $0.text.contains("s3cret") })
    }

    @Test func `two routes may share neither name nor place`() {
        let text = """
            {"data": "d", "routes": [{"name": "a", "path": "/a", \(Self.good)},
              {"name": "a", "path": "/a", \(Self.good)}]}
            """
        #expect(Self.mistakes(text).map(\.pointer).sorted() == ["/routes/1/name", "/routes/1/path"])
    }

    @Test func `the environment gives secrets, and says when it does not`() {
        let route = #""verify": {"kind": "github", "secrets": [{"env": "GH"}]}, "action": {"exec": ["/bin/true"]}"#
        #expect(Self.mistakes(Self.file(route: route), environment: ["GH": "x"]) == [])
        #expect(Self.mistakes(Self.file(route: route)).map(\.text).first?.contains("GH is not set") == true)
    }

    @Test func `the published schema is the one that the program prints`() throws {
        let file = try String(contentsOf: Self.root.appending(path: "Docs/culvert-hook.schema.json"), encoding: .utf8)
        #expect(file == ConfigSchema.text + "\n")
    }

    @Test(arguments: [
        ("/a", 2, 8), ("/b/1", 3, 12), ("/b/1/c~1d", 3, 20), ("/b/9", 3, 8), ("/none", 1, 1), ("", 1, 1), ("/é\"", 4, 11),
    ])
    func `a value is found by its pointer`(pointer: String, line: Int, column: Int) throws {
        let text = "{\n  \"a\": 1,\n  \"b\": [0, {\"c/d\": []}],\n  \"é\\\"\": true}"
        let place = JSONPlaces(bytes: Array(text.utf8)).place(of: try #require(JSONPointer(pointer)))
        #expect(place == JSONPlaces.Place(line: line, column: column))
    }

    @Test func `output is kept to its bound, and what is left out is counted`() {
        let output = BoundedOutput(byteCountMax: 4)
        output.append(Array("ab".utf8))
        #expect(output.bytes == Array("ab".utf8))
        output.append(Array("cdef".utf8))
        #expect(String(decoding: output.bytes, as: UTF8.self) == "abcd\n[2 more bytes]\n")
    }
}
