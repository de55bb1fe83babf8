import Testing
import TunnelWire

struct OutgoingAddressPolicyTests {
    private let policy = OutgoingAddressPolicy(allowsPrivate: false)

    @Test(arguments: [
        "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.0", "100.127.255.255", "127.0.0.1", "127.255.255.254",
        "169.254.0.1", "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.8", "192.0.2.1", "192.88.99.1",
        "192.168.0.1", "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255",
        "240.0.0.1", "255.255.255.255",
        "::", "::1", "::ffff:127.0.0.1", "::ffff:7f00:1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1",
        "64:ff9b::7f00:1", "64:ff9b::169.254.169.254", "100::1", "2001::1", "2001:0:7f00:1::", "2001:db8::1",
        "2002:7f00:1::", "2002:a9fe:a9fe::1", "3fff::1", "4000::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fec0::1", "ff02::1",
        "", "localhost", "example.com", "127.1", "0x7f.0.0.1", "2130706433", "0177.0.0.1", "127.0.0.1 ", "[::1]", "fe80::1%lo",
    ])
    func `what is not of the public internet is not called`(address: String) {
        #expect(!policy.allows(address))
    }

    @Test(arguments: [
        "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.1",
        "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0", "192.0.1.0", "192.167.255.255", "192.169.0.0",
        "198.17.255.255", "198.20.0.0", "223.255.255.255", "::ffff:8.8.8.8", "2001:200::1", "2001:4860:4860::8888",
        "2003::1", "2606:4700:4700::1111", "2a00:1450::1", "3ffe::1",
    ])
    func `what is next to those ranges is`(address: String) {
        #expect(policy.allows(address))
    }

    @Test func `an operator may allow all addresses, but no texts that are none`() {
        let open = OutgoingAddressPolicy(allowsPrivate: true)
        #expect(open.allows("127.0.0.1") && open.allows("::1") && open.allows("8.8.8.8"))
        #expect(!open.allows("localhost") && !open.allows("127.1"))
    }
}
