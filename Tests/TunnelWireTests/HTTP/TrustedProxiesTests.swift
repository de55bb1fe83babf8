import Testing
import TunnelWire

struct TrustedProxiesTests {
    private let proxies = TrustedProxies(["10.0.0.0/8", "192.0.2.1", "2001:db8:ffff::/48"].compactMap(IPRange.init))

    private func client(_ peer: String, _ fields: [(String, String)]) -> String {
        var head = HTTPFields()
        for (name, value) in fields { head.append(name: name, value: value) }
        return proxies.client(of: peer, head)
    }

    @Test(arguments: ["203.0.113.9", "2001:db8::1", "unix", "192.0.2.2"])
    func `whoever is no trusted proxy is believed nothing`(peer: String) {
        #expect(client(peer, [("x-forwarded-for", "198.51.100.1"), ("forwarded", "for=198.51.100.1")]) == peer)
    }

    @Test func `no proxy is trusted unless somebody says so`() {
        var fields = HTTPFields()
        fields.append(name: "x-forwarded-for", value: "198.51.100.1")
        #expect(TrustedProxies().client(of: "127.0.0.1", fields) == "127.0.0.1")
    }

    static let ways: [(String, [(String, String)], String)] = [
        ("nothing noted", [], "10.0.0.1"),
        ("one hop", [("x-forwarded-for", "198.51.100.1")], "198.51.100.1"),
        ("the right-most untrusted counts", [("x-forwarded-for", "1.2.3.4, 198.51.100.1")], "198.51.100.1"),
        ("trusted hops are passed", [("x-forwarded-for", "1.2.3.4, 198.51.100.1, 192.0.2.1,10.9.9.9")], "198.51.100.1"),
        ("all trusted", [("x-forwarded-for", "10.0.0.3, 10.0.0.2")], "10.0.0.3"),
        (
            "several lines are one list", [("x-forwarded-for", "1.2.3.4"), ("x-forwarded-for", "198.51.100.1, 10.0.0.2")],
            "198.51.100.1"
        ),
        ("a port", [("x-forwarded-for", "198.51.100.1:4711")], "198.51.100.1"),
        ("an IPv6 address", [("x-forwarded-for", "2001:DB8::7")], "2001:db8::7"),
        ("in brackets, with a port", [("x-forwarded-for", "[2001:db8::7]:4711")], "2001:db8::7"),
        ("IPv4 inside IPv6", [("x-forwarded-for", "::ffff:198.51.100.1")], "198.51.100.1"),
        ("an unknown hop ends the way", [("x-forwarded-for", "1.2.3.4, unknown, 192.0.2.1")], "192.0.2.1"),
        ("rubbish", [("x-forwarded-for", "\t<script>, ")], "10.0.0.1"), ("empty", [("x-forwarded-for", "")], "10.0.0.1"),
        ("forwarded", [("forwarded", "for=198.51.100.1")], "198.51.100.1"),
        (
            "forwarded with everything", [("forwarded", #"proto=https;For="[2001:db8::7]:1";by=10.0.0.1, for=10.0.0.2"#)],
            "2001:db8::7"
        ),
        ("forwarded without for", [("forwarded", "for=1.2.3.4, proto=http")], "10.0.0.1"),
        ("an obfuscated node", [("forwarded", "for=1.2.3.4, for=_hidden")], "10.0.0.1"),
        ("both agree", [("x-forwarded-for", "198.51.100.1"), ("forwarded", "for=198.51.100.1")], "198.51.100.1"),
        ("a forged Forwarded", [("x-forwarded-for", "198.51.100.1"), ("forwarded", "for=1.2.3.4")], "10.0.0.1"),
        ("a forged X-Forwarded-For", [("x-forwarded-for", "1.2.3.4"), ("forwarded", "for=198.51.100.1")], "10.0.0.1"),
    ]

    @Test(arguments: ways.indices)
    func `the nearest address that is no trusted proxy is the client's`(index: Int) {
        let (what, fields, expected) = Self.ways[index]
        #expect(client("10.0.0.1", fields) == expected, "\(what)")
    }

    @Test func `the way back has an end`() {
        let hops = ["1.2.3.4"] + Array(repeating: "10.0.0.2", count: TrustedProxies.hopCountMax)
        #expect(client("10.0.0.1", [("x-forwarded-for", hops.joined(separator: ","))]) == "10.0.0.2")
        #expect(client("10.0.0.1", [("x-forwarded-for", hops.dropLast().joined(separator: ","))]) == "1.2.3.4")
    }
}
