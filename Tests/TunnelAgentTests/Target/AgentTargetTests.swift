internal import Testing
internal import TunnelAgent

struct AgentTargetTests {
    @Test(arguments: [
        ("3000", "localhost", 3000), (":3000", "localhost", 3000), ("localhost:1", "localhost", 1),
        ("65535", "localhost", 65535),
        ("http://127.0.0.1:3000", "127.0.0.1", 3000), ("http://127.0.0.1:3000/", "127.0.0.1", 3000),
        ("HTTP://Example.test", "example.test", 80), ("http://[::1]:8000", "::1", 8000), ("[::1]", "::1", 80),
        ("127.1:80", "127.1", 80),
    ])
    func `a target is read as people type it`(text: String, host: String, port: Int) throws {
        let target = try AgentTarget(validating: text)
        #expect(target.endpoint == .tcp(host: host, port: port))
        #expect(target.pathPrefix == "")
    }

    @Test(arguments: [
        ("http://localhost:3000/app", "/app"), ("http://localhost:3000/app/", "/app"), ("localhost:3000/a/b", "/a/b"),
        ("http://localhost/a%20b", "/a%20b"), ("http://localhost//", "/"),
    ])
    func `a path is put before those of requests`(text: String, prefix: String) throws {
        #expect(try AgentTarget(validating: text).pathPrefix == prefix)
    }

    @Test(
        arguments: [
            ("3000", .http1, "http://localhost:3000"), ("http://h:1/a", .http1, "http://h:1/a"),
            ("h2c://127.0.0.1:50051", .http2, "h2c://127.0.0.1:50051"), ("grpc://[::1]:50051", .http2, "h2c://[::1]:50051"),
            ("GRPC://h:1/a/", .http2, "h2c://h:1/a"), ("h2c://h", .http2, "h2c://h:80"), ("unix:/s", .http1, "unix:/s"),
            ("h2c+unix:/s", .http2, "h2c+unix:/s"), ("grpc+unix:/s", .http2, "h2c+unix:/s"),
        ] as [(String, AgentTarget.Version, String)])
    func `the scheme says which version of HTTP it speaks`(text: String, version: AgentTarget.Version, written: String) throws {
        let target = try AgentTarget(validating: text)
        #expect(target.version == version)
        #expect(target.description == written)
        #expect(try AgentTarget(validating: target.description) == target)
    }

    @Test func `a Unix socket is named by its whole path`() throws {
        let target = try AgentTarget(validating: "unix:/run/app.sock")
        #expect(target.endpoint == .unixSocket(path: "/run/app.sock"))
        #expect(target.authority == "localhost" && target.description == "unix:/run/app.sock")
        try TargetAddressPolicy.loopbackOnly.check(target)
        let longest = "/" + String(repeating: "a", count: AgentTarget.socketPathByteCountMax - 1)
        #expect(try AgentTarget(validating: "unix:" + longest).endpoint == .unixSocket(path: longest))
    }

    @Test(
        arguments: [
            ("", .empty), ("0", .illegalPort("0")), ("65536", .illegalPort("65536")), ("99999", .illegalPort("99999")),
            ("localhost:", .illegalPort("")), ("localhost:abc", .illegalPort("abc")), ("localhost:-1", .illegalPort("-1")),
            ("https://localhost:3000", .unsupportedScheme("https")), ("ws://localhost", .unsupportedScheme("ws")),
            ("grpcs://localhost:1", .unsupportedScheme("grpcs")), ("h2c+unix:s", .illegalSocketPath("s")),
            ("http://localhost:3000/app?x", .carriesQuery("http://localhost:3000/app?x")),
            ("http://localhost:3000?x", .carriesQuery("http://localhost:3000?x")),
            ("http://localhost:3000#x", .carriesQuery("http://localhost:3000#x")),
            ("http://localhost/a/../b", .illegalPath("/a/../b")), ("http://localhost/%2e%2e", .illegalPath("/%2e%2e")),
            ("http://localhost/a b", .illegalPath("/a b")), ("unix:", .illegalSocketPath("")),
            ("unix:app.sock", .illegalSocketPath("app.sock")), ("unix:/run/", .illegalSocketPath("/run/")),
            (
                "unix:/" + String(repeating: "a", count: 107),
                .illegalSocketPath("/" + String(repeating: "a", count: 107))
            ),
            ("http://user:pass@localhost", .carriesCredential),
            ("a b", .illegalHost("a b")), ("[::1", .illegalHost("[::1")), ("[localhost]:80", .illegalHost("[localhost]:80")),
        ] as [(String, AgentTargetError)])
    func `a bad target says what is bad`(text: String, error: AgentTargetError) {
        #expect(throws: error) { try AgentTarget(validating: text) }
        #expect(!error.description.isEmpty)
    }

    @Test(arguments: [
        "localhost", "LOCALHOST", "app.localhost", "127.0.0.1", "127.1", "127.255.255.254", "0x7f.1", "2130706433", "[::1]",
        "[::ffff:127.0.0.1]", "[0:0:0:0:0:0:0:1]",
    ])
    func `this machine is allowed in every spelling`(host: String) throws {
        try TargetAddressPolicy.loopbackOnly.check(AgentTarget(validating: "http://\(host):3000"))
    }

    @Test(arguments: [
        "0.0.0.0", "10.0.0.1", "192.168.1.1", "169.254.169.254", "128.0.0.1", "8.8.8.8", "[::]", "[::2]", "[fe80::1]",
        "[::ffff:10.0.0.1]", "[::127.0.0.1]", "[2001:db8::1]", "167772161", "0xa.1",
    ])
    func `another machine is refused in every spelling, and allowed only on demand`(host: String) throws {
        let target = try AgentTarget(validating: "http://\(host):3000")
        #expect(throws: TargetRefusal.self) { try TargetAddressPolicy.loopbackOnly.check(target) }
        try TargetAddressPolicy.anywhere.check(target)
    }

    @Test func `a refusal names the address and the way out`() throws {
        let target = try AgentTarget(validating: "http://10.0.0.1:3000")
        #expect(throws: TargetRefusal.notLoopback(host: "10.0.0.1", address: "10.0.0.1")) {
            try TargetAddressPolicy.loopbackOnly.check(target)
        }
        #expect(TargetRefusal.notLoopback(host: "h", address: "10.0.0.1").description.contains("--allow-remote"))
    }
}
