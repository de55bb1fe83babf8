import TestSupport
import Testing

@testable import TunnelDomain

struct EncodingsTests {
    @Test(
        arguments: [
            ("", 0), ("123456789", 0xCBF4_3926), ("The quick brown fox jumps over the lazy dog", 0x414F_A339),
        ] as [(String, UInt32)])
    func `CRC-32 gives the published values`(text: String, checksum: UInt32) {
        #expect(CRC32.checksum(of: text.utf8) == checksum)
    }

    @Test func `CRC-32 equals long division`() throws {
        try checkProperty { sample in
            let bytes = sample.list(upTo: 40) { UInt8($0.int(in: 0...255)) }
            sample.note("\(bytes)")
            var remainder = UInt32.max
            for byte in bytes {
                for bit in 0..<8 {
                    let isSet = (remainder ^ UInt32(byte >> bit)) & 1 == 1
                    remainder = remainder >> 1 ^ (isSet ? 0xEDB8_8320 : 0)
                }
            }
            try sample.check(CRC32.checksum(of: bytes), is: ~remainder)
        }
    }

    @Test func `base62 is as wide as its bytes need, and no wider`() {
        #expect((0...8).map { Base62.digitCount(byteCount: $0) } == [0, 2, 3, 5, 6, 7, 9, 10, 11])
        #expect(Base62.digitCount(byteCount: 16) == 22)
        #expect(Base62.digitCount(byteCount: 32) == 43)
        #expect(Base62.text(of: [255, 255, 255, 255]) == "4gfFC3")
    }

    @Test func `base62 is read back digit by digit`() throws {
        let digits = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
        try checkProperty { sample in
            let bytes = sample.bytes(sample.int(in: 0...15))
            let text = Base62.text(of: bytes)
            sample.note(text)
            var number: UInt128 = 0
            for digit in text { number = number * 62 + UInt128(digits.firstIndex(of: digit) ?? 0) }
            try sample.check(number, is: bytes.reduce(UInt128(0)) { $0 << 8 | UInt128($1) }, "the number")
            try sample.check(text.utf8.count, is: Base62.digitCount(byteCount: bytes.count), "the width")
        }
    }

    @Test func `hexadecimal is read back`() throws {
        try checkProperty { sample in
            let bytes = sample.bytes(sample.int(in: 0...20))
            let text = Array(Hexadecimal.text(of: bytes).utf8)
            sample.note("\(bytes)")
            try sample.check(text.allSatisfy { Hexadecimal.isLowerDigit($0) }, "not all are digits")
            let again = stride(from: 0, to: text.count, by: 2).map { index in
                (Hexadecimal.value(of: text[index]) ?? 0) * 16 + (Hexadecimal.value(of: text[index + 1]) ?? 0)
            }
            try sample.check(again, is: bytes)
        }
    }

    @Test func `comparison in constant time equals comparison`() throws {
        try checkProperty { sample in
            let left = sample.list(upTo: 8) { UInt8($0.int(in: 0...2)) }
            let right = sample.bool() ? left : sample.list(upTo: 8) { UInt8($0.int(in: 0...2)) }
            sample.note("\(left) \(right)")
            try sample.check(constantTimeEquals(left, right), is: left == right, "the answer")
        }
    }
}
