import LinuxIO
import TestSupport
import Testing

@Suite struct SocketAddressTests {
    @Test(arguments: [
        ("127.0.0.1:80", "127.0.0.1:80"), ("0.0.0.0:0", "0.0.0.0:0"), ("255.255.255.255:65535", "255.255.255.255:65535"),
        ("[::1]:443", "[::1]:443"), ("[2001:DB8:0:0:0:0:0:7]:8443", "[2001:db8::7]:8443"), ("[::]:1", "[::]:1"),
        ("[::ffff:192.0.2.1]:7", "[192.0.2.1]:7"),
    ])
    func `an address with a port is read and written in its shortest form`(text: String, written: String) throws {
        #expect(try #require(SocketAddress(text)).description == written)
    }

    @Test(arguments: [
        "", ":", ":80", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1: 80", "127.0.0.1:80 ",
        "127.1:80", "1.2.3.4.5:80", "256.0.0.1:80", "01.2.3.4:80", "localhost:80", "::1:80", "[::1:80", "::1]:80", "[::1]",
        "[::1]80", "[127.0.0.1]:80", "[::g]:80", "[]:80", "[fe80::1%eth0]:80", "127.0.0.1:８０", "127.0.0.1:0x50",
    ])
    func `what is no address with a port is refused`(text: String) {
        #expect(SocketAddress(text) == nil)
    }

    @Test func `every address is read back from its own text`() throws {
        try checkProperty { sample in
            let port = UInt16(sample.int(in: 0...65_535))
            let isV4 = sample.bool()
            // Few different bytes, so that runs of zeros are common.
            let bytes = (0..<(isV4 ? 4 : 16)).map { _ in sample.element(of: [0, 0, 0, 1, 127, 255] as [UInt8]) }
            guard isV4 || bytes[..<10].contains(where: { $0 != 0 }) || bytes[10] != 255 || bytes[11] != 255 else { return }
            let address = SocketAddress(ip: isV4 ? .v4(bytes) : .v6(bytes), port: port)
            try sample.check(SocketAddress(address.description), is: address, "the address read from “\(address)”")
        }
    }

    @Test(arguments: [
        ("127.0.0.1:1", true), ("127.255.255.254:1", true), ("[::1]:1", true), ("[::ffff:127.0.0.1]:1", true),
        ("[::ffff:127.9.9.9]:1", true), ("126.255.255.255:1", false), ("128.0.0.1:1", false), ("0.0.0.0:1", false),
        ("[::]:1", false), ("[::2]:1", false), ("[1::1]:1", false), ("[::127.0.0.1]:1", false), ("[::ffff:10.0.0.1]:1", false),
        ("[::fffe:127.0.0.1]:1", false), ("192.168.0.1:1", false),
    ])
    func `loopback has many spellings, and nothing else is loopback`(text: String, isLoopback: Bool) throws {
        #expect(try #require(SocketAddress(text)).ip.isLoopback == isLoopback)
    }

    @Test(arguments: ["localhost", "LOCALHOST", "my-agent.localhost", "a.b.LocalHost"])
    func `localhost and every name under it are loopback without asking anyone`(name: String) throws {
        let addresses = try AddressResolver.resolve(name, port: 8080)
        #expect(addresses.map(\.description) == ["127.0.0.1:8080", "[::1]:8080"])
    }

    @Test func `an address resolves to itself`() throws {
        #expect(try AddressResolver.resolve("127.0.0.1", port: 9).map(\.description) == ["127.0.0.1:9"])
    }

    @Test func `a name that cannot be resolved says so and names itself`() {
        let error = #expect(throws: AddressResolver.Failure.self) { try AddressResolver.resolve("not a name", port: 1) }
        #expect(error?.host == "not a name")
        #expect(error?.description.contains("cannot be resolved") == true)
    }
}
