import TestSupport
import Testing
import TunnelDomain

struct IPAddressTests {
    @Test(
        arguments: [
            ("192.0.2.7", "192.0.2.7"), ("0.0.0.0", "0.0.0.0"), ("255.255.255.255", "255.255.255.255"), ("::", "::"),
            ("::1", "::1"), ("2001:DB8::1", "2001:db8::1"), ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),
            ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"), ("2001:0:0:1:0:0:0:1", "2001:0:0:1::1"),
            ("::ffff:192.0.2.7", "192.0.2.7"), ("::FFFF:c000:0207", "192.0.2.7"), ("64:ff9b::192.0.2.7", "64:ff9b::c000:207"),
        ])
    func `an address has one spelling`(text: String, canonical: String) { #expect(IPAddress(text)?.text == canonical) }

    @Test(arguments: [
        "", "localhost", "192.0.2", "192.0.2.7.1", "192.0.2.256", "192.0.2.07", "192.0.2.7 ", "192.0.2.7:80", "[::1]", "::1%lo",
        "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1::2::3", "12345::", "g::", ":::", "192.0.2.7/32",
    ])
    func `what is no address is none`(text: String) { #expect(IPAddress(text) == nil) }

    @Test func `what is written is read again`() throws {
        try checkProperty { sample in
            let address = sample.ipAddress()
            sample.note("\(address)")
            guard case .ipv6(0, let low) = address, low >> 32 == 0xFFFF else {
                return try sample.check(IPAddress(address.text), is: address)
            }
            try sample.check(IPAddress(address.text), is: .ipv4(UInt32(truncatingIfNeeded: low)))
        }
    }
}

extension Sample {
    /// Zeros are frequent, so that there is something to shorten.
    mutating func ipAddress() -> IPAddress {
        if bool() { return .ipv4(UInt32(draw(upTo: UInt64(UInt32.max)))) }
        var groups: [UInt64] = []
        for _ in 0..<8 { groups.append(bool() ? draw(upTo: 0xFFFF) : 0) }
        let number = { (half: ArraySlice<UInt64>) in half.reduce(UInt64(0)) { $0 << 16 | $1 } }
        return .ipv6(high: number(groups[..<4]), low: number(groups[4...]))
    }
}
