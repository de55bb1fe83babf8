import TestSupport
import Testing
import TunnelDomain

struct AddressGroupTests {
    @Test(arguments: [
        ("192.0.2.7", AddressGroup.ipv4(0xC000_0207)),
        ("0.0.0.0", .ipv4(0)),
        ("255.255.255.255", .ipv4(.max)),
        ("::ffff:192.0.2.7", .ipv4(0xC000_0207)),
        ("::FFFF:c000:0207", .ipv4(0xC000_0207)),
        ("2001:db8:1:2:3:4:5:6", .ipv6(network: 0x2001_0db8_0001_0002)),
        ("2001:db8:1:2::", .ipv6(network: 0x2001_0db8_0001_0002)),
        ("2001:db8::1", .ipv6(network: 0x2001_0db8_0000_0000)),
        ("::", .ipv6(network: 0)),
        ("::1", .ipv6(network: 0)),
        ("64:ff9b::192.0.2.7", .ipv6(network: 0x0064_ff9b_0000_0000)),
        ("fe80::1%eth0", .ipv6(network: 0xfe80_0000_0000_0000)),
        ("1:2:3:4:5:6:192.0.2.7", .ipv6(network: 0x0001_0002_0003_0004)),
        ("unix", .other("unix")),
        ("", .other("")),
        ("192.0.2", .other("192.0.2")),
        ("192.0.2.256", .other("192.0.2.256")),
        ("192.0.2.07", .other("192.0.2.07")),
        ("1:2:3:4:5:6:7", .other("1:2:3:4:5:6:7")),
        ("1:2:3:4:5:6:7:8:9", .other("1:2:3:4:5:6:7:8:9")),
        ("1::2::3", .other("1::2::3")),
        ("1:2:3:4:5:6:7::8", .other("1:2:3:4:5:6:7::8")),
        ("12345::", .other("12345::")),
        ("g::", .other("g::")),
        (":1", .other(":1")),
        ("1:", .other("1:")),
    ])
    func `an address belongs to one group`(address: String, group: AddressGroup) {
        #expect(AddressGroup(address) == group)
    }

    @Test func `every spelling of an address is of the same group`() throws {
        try checkProperty { sample in
            let groups = (0..<8).map { _ in sample.chance(oneIn: 3) ? UInt16(sample.int(in: 0...0xFFFF)) : 0 }
            let network = groups[..<4].reduce(UInt64(0)) { $0 << 16 | UInt64($1) }
            let isMapped = groups[..<5].allSatisfy { $0 == 0 } && groups[5] == 0xFFFF
            guard !isMapped else { return }
            let text = sample.spelling(of: groups)
            sample.note(text)
            try sample.check(AddressGroup(text), is: .ipv6(network: network))
        }
    }

    @Test func `no text is too strange`() throws {
        try checkProperty { sample in
            let text = sample.text(of: ":.0123456789abcdefF%g ", count: 0...45)
            sample.note(text)
            switch AddressGroup(text) {
            case .ipv4, .ipv6: try sample.check(text.contains(":") || text.contains("."), "it is no address")
            case .other(let kept): try sample.check(kept, is: text)
            }
        }
    }
}

extension Sample {
    /// Writes an IPv6 address in one of its many ways.
    fileprivate mutating func spelling(of groups: [UInt16]) -> String {
        let words = groups.map { group in
            let digits = String(group, radix: 16, uppercase: bool())
            return String(repeating: "0", count: int(in: 0...4 - digits.count)) + digits
        }
        let start = int(in: 0...7)
        let end = groups[start...].firstIndex { $0 != 0 } ?? 8
        guard end > start else { return words.joined(separator: ":") }
        return words[..<start].joined(separator: ":") + "::" + words[end...].joined(separator: ":")
    }
}
