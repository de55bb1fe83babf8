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
        #expect(target.host == host)
        #expect(target.port == port)
    }

    @Test(
        arguments: [
            ("", .empty), ("0", .illegalPort("0")), ("65536", .illegalPort("65536")), ("99999", .illegalPort("99999")),
            ("localhost:", .illegalPort("")), ("localhost:abc", .illegalPort("abc")), ("localhost:-1", .illegalPort("-1")),
            ("https://localhost:3000", .unsupportedScheme("https")), ("ws://localhost", .unsupportedScheme("ws")),
            ("http://localhost:3000/app", .carriesPath("http://localhost:3000/app")),
            ("http://localhost:3000?x", .carriesPath("http://localhost:3000?x")),
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
