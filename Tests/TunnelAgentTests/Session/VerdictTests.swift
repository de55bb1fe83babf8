internal import Testing
@testable internal import TunnelAgent

struct VerdictTests {
    private static let grant =
        #"{"owner_token": "t0k", "default_pool_size": 8, "intake_idle_seconds": 60, "response_deadline_seconds": 60}"#

    @Test func `an accepted hello tells the token, the pool and the deadline`() {
        #expect(
            HelloVerdict(status: 200, body: Array(Self.grant.utf8), retryAfter: nil)
                == .connected(HelloGrant(ownerToken: "t0k", poolSize: 8, responseDeadlineSeconds: 60, features: [])))
    }

    @Test(arguments: [
        (#"{"owner_token":"t"}"#, 8, 60), (#"{"owner_token":"t","default_pool_size":0}"#, 1, 60),
        (#"{"owner_token":"t","default_pool_size":33,"response_deadline_seconds":0.5}"#, 32, 1),
        (#"{"owner_token":"t","default_pool_size":"many","response_deadline_seconds":7.9}"#, 8, 7),
        (#"{"owner_token":"t","default_pool_size":32,"response_deadline_seconds":1e300}"#, 32, 3600),
    ])
    func `figures outside of the contract are brought into it`(body: String, poolSize: Int, seconds: Int) {
        #expect(
            HelloVerdict(status: 200, body: Array(body.utf8), retryAfter: nil)
                == .connected(HelloGrant(ownerToken: "t", poolSize: poolSize, responseDeadlineSeconds: seconds, features: [])))
    }

    @Test(arguments: ["", "[]", "{}", #"{"owner_token":""}"#, #"{"owner_token":"a b"}"#, #"{"owner_token":"a\nb"}"#])
    func `a grant without a usable token is tried again`(body: String) {
        let verdict = HelloVerdict(status: 200, body: Array(body.utf8), retryAfter: nil)
        guard case .transient = verdict else { return #expect(Bool(false), "\(verdict)") }
    }

    @Test(arguments: [401, 403])
    func `a refused credential is final`(status: Int) {
        #expect(
            HelloVerdict(status: status, body: Array(#"{"detail": "no\u001b[31m"}"#.utf8), retryAfter: "1")
                == .refused(status: status, reason: "no[31m"))
    }

    @Test func `only the named conflict is final`() {
        let superseded = Array(#"{"reason": "hello-superseded"}"#.utf8)
        #expect(HelloVerdict(status: 409, body: superseded, retryAfter: nil) == .superseded)
        guard case .transient = HelloVerdict(status: 409, body: Array("{}".utf8), retryAfter: nil) else {
            return #expect(Bool(false), "another conflict is worth another try")
        }
    }

    @Test(arguments: [("30", 30), ("300", 300), ("301", nil), ("-1", nil), ("soon", nil)] as [(String, Int?)])
    func `other answers are tried again, after the pause that they ask for`(value: String, seconds: Int?) {
        #expect(
            HelloVerdict(status: 503, body: [], retryAfter: value)
                == .transient(reason: "the server answered hello with 503", retryAfterSeconds: seconds))
    }

    @Test(
        arguments: [
            (0x1201, "", .superseded), (0x1201, #"{"reason":"drain"}"#, .superseded),
            (0, #"{"reason":"drain"}"#, .handOver(reason: "drain")),
            (0, "", .handOver(reason: "the server ends this connection")),
            (0, #"{"reason":"unterminated"#, .handOver(reason: "the server ends this connection")),
            (11, "calm", .broken(reason: "the server ended the connection (HTTP/2 error 11) calm")),
        ] as [(UInt32, String, GoAwayVerdict)])
    func `a GOAWAY means one of three things`(code: UInt32, debug: String, verdict: GoAwayVerdict) {
        #expect(GoAwayVerdict(errorCode: code, debugData: Array(debug.utf8)) == verdict)
    }
}

struct ReconnectBackoffTests {
    @Test func `pauses double from one second to thirty`() {
        var backoff = ReconnectBackoff()
        var random = SystemRandomNumberGenerator()
        for base in [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000] {
            let pause = backoff.pause(using: &random)
            #expect(pause >= .milliseconds(base * 75 / 100))
            #expect(pause <= .milliseconds(base * 125 / 100))
        }
    }

    @Test func `the jitter reaches both ends and nothing beyond`() {
        var random = SystemRandomNumberGenerator()
        let pauses = Set(
            (0..<20_000).map { _ in
                var backoff = ReconnectBackoff()
                return backoff.pause(using: &random)
            })
        // 51 pauses are possible: one is missing from 20,000 draws about once in 10^170 runs.
        #expect(pauses.min() == .milliseconds(750))
        #expect(pauses.max() == .milliseconds(1_250))
    }

    @Test func `a connection that stood starts over`() {
        var backoff = ReconnectBackoff()
        var random = SystemRandomNumberGenerator()
        for _ in 0..<5 { _ = backoff.pause(using: &random) }
        backoff.succeeded()
        #expect(backoff.pause(using: &random) <= .milliseconds(1_250))
    }
}

struct EdgeAddressTests {
    @Test(arguments: [
        ("localhost", "localhost", 443), ("127.0.0.1:8443", "127.0.0.1", 8443), ("[::1]:8443", "::1", 8443),
        ("[::1]", "::1", 443),
    ])
    func `an edge address is a host and perhaps a port`(text: String, host: String, port: Int) {
        #expect(EdgeAddress(text) == EdgeAddress(host: host, port: port))
    }

    @Test(arguments: ["", ":443", "host:", "host:0", "host:65536", "host:x", "[::1", "[::1]443", "a/b", "a b", "u@h"])
    func `anything else is none`(text: String) { #expect(EdgeAddress(text) == nil) }

    @Test func `a credential never shows itself`() {
        for credential in [AgentCredential.connectSecret("tnl_123"), .apiKey("ApiKey_123")] {
            #expect(!"\(credential)".contains("123"))
            #expect(!String(reflecting: credential).contains("123"))
        }
    }
}
