import TestSupport
import Testing
import TunnelDomain

struct AddressRangeTests {
    @Test(
        arguments: [
            ("192.0.2.0/24", "192.0.2.0/24"), ("192.0.2.7", "192.0.2.7/32"), ("0.0.0.0/0", "0.0.0.0/0"), ("::/0", "::/0"),
            ("2001:DB8::/32", "2001:db8::/32"), ("2001:db8::1", "2001:db8::1/128"),
            ("::ffff:192.0.2.0/120", "192.0.2.0/24"), ("::ffff:192.0.2.7", "192.0.2.7/32"), ("::ffff:0:0/96", "0.0.0.0/0"),
        ])
    func `a range has one spelling`(text: String, canonical: String) throws {
        #expect(try AddressRange(validating: text).text == canonical)
        #expect(try AddressRange(validating: canonical) == AddressRange(validating: text))
    }

    @Test(
        arguments: [
            ("", .noAddress), ("office", .noAddress), ("192.0.2.0-192.0.2.9", .noAddress), ("192.0.2.*", .noAddress),
            ("fe80::1%eth0", .noAddress), (" 192.0.2.7", .noAddress), ("/24", .noAddress), ("192.0.2/24", .noAddress),
            ("192.0.2.0/33", .badPrefixLength(max: 32)), ("192.0.2.0/", .badPrefixLength(max: 32)),
            ("192.0.2.0/-1", .badPrefixLength(max: 32)), ("192.0.2.0/024", .badPrefixLength(max: 32)),
            ("192.0.2.0/255.255.255.0", .badPrefixLength(max: 32)), ("2001:db8::/129", .badPrefixLength(max: 128)),
            ("192.0.2.7/24", .bitsBehindPrefix(meant: "192.0.2.0/24")),
            ("2001:db8::1/64", .bitsBehindPrefix(meant: "2001:db8::/64")),
            ("::ffff:192.0.2.7/95", .bitsBehindPrefix(meant: "::fffe:0:0/95")),
        ] as [(String, AddressRangeError)])
    func `what is no range is told how`(text: String, error: AddressRangeError) {
        #expect(throws: error) { try AddressRange(validating: text) }
        #expect(error.explanation.hasSuffix("."))
    }

    @Test(
        arguments: [
            ("192.0.2.0/24", "192.0.2.255", true), ("192.0.2.0/24", "192.0.3.0", false),
            ("192.0.2.0/24", "::ffff:192.0.2.9", true),
            ("::ffff:192.0.2.0/120", "192.0.2.9", true), ("0.0.0.0/0", "203.0.113.9", true), ("0.0.0.0/0", "::1", false),
            ("::/0", "2001:db8::1", true), ("::/0", "192.0.2.7", false), ("::/0", "::ffff:192.0.2.7", false),
            ("2001:db8::/63", "2001:db8:0:1:ffff::", true), ("2001:db8::/63", "2001:db8:0:2::", false),
            ("2001:db8::/127", "2001:db8::1", true), ("2001:db8::/127", "2001:db8::2", false),
        ])
    func `which address is in which range`(range: String, address: String, isInside: Bool) throws {
        let address = try #require(IPAddress(address))
        #expect(try AddressRange(validating: range).contains(address) == isInside)
    }

    @Test func `a range holds what has its bits, and what lies in a range that it holds`() throws {
        try checkProperty { sample in
            let (range, inner) = (try sample.range(), try sample.range())
            let address = sample.bool() ? sample.ipAddress() : inner.network
            sample.note("\(range) \(inner) \(address)")
            try sample.check(AddressRange(validating: range.text), is: range, "the range read again")
            try sample.check(range.contains(range.network), "it does not hold its own first address")
            let sharesBits =
                address.bits.count == range.network.bits.count
                && address.bits.prefix(range.prefixLength) == range.network.bits.prefix(range.prefixLength)
            try sample.check(range.contains(address), is: sharesBits, "whether it holds the address")
            if range.contains(inner), inner.contains(address) {
                try sample.check(range.contains(address), "it holds a range and not all that is in it")
            }
            guard !range.contains(inner), range.prefixLength <= inner.prefixLength else { return }
            try sample.check(!range.contains(inner.network), "it holds the first address of a smaller range and not the range")
        }
    }
}

extension IPAddress {
    /// Bit by bit, the slow way.
    fileprivate var bits: [Bool] {
        switch self {
        case .ipv4(let number): (0..<32).map { number >> (31 - UInt32($0)) & 1 == 1 }
        case .ipv6(let high, let low):
            (0..<128).map { $0 < 64 ? high >> (63 - UInt64($0)) & 1 == 1 : low >> (127 - UInt64($0)) & 1 == 1 }
        }
    }
}

extension Sample {
    /// A range whose bits behind its prefix are cleared by its own advice.
    mutating func range() throws -> AddressRange {
        // Small numbers, so that ranges often lie in one another.
        let address: IPAddress = bool() ? .ipv4(UInt32(draw(upTo: 3)) << 30) : .ipv6(high: draw(upTo: 3) << 62, low: 0)
        let text = "\(address)/\(int(in: 0...(bool() ? 4 : address.bitCount)))"
        do {
            return try AddressRange(validating: text)
        } catch AddressRangeError.bitsBehindPrefix(let meant) {
            return try AddressRange(validating: meant)
        }
    }
}
