/// The byte classes of RFC 9110 §5, decided without tables: each set is two words of one bit per ASCII byte.
package enum HTTPSyntax {
    /// A byte of a token: `!#$%&'*+-.^_`|~`, digits and letters (RFC 9110 §5.6.2).
    @inlinable
    package static func isToken(_ byte: UInt8) -> Bool {
        let set: UInt64 = byte < 64 ? 0x03FF_6CFA_0000_0000 : 0x57FF_FFFF_C7FF_FFFE
        return byte < 128 && set >> UInt64(byte & 63) & 1 == 1
    }

    /// One or more token bytes.
    package static func isToken(_ bytes: Span<UInt8>) -> Bool {
        !bytes.isEmpty && bytes.allSatisfy(isToken)
    }

    /// A byte that a field value may have: visible ASCII, space, tab and everything above ASCII (RFC 9110 §5.5).
    @inlinable
    package static func isFieldValue(_ byte: UInt8) -> Bool {
        byte >= 0x20 && byte != 0x7F || byte == 0x09
    }

    /// Nothing but legal field value bytes; may be empty.
    package static func isFieldValue(_ bytes: Span<UInt8>) -> Bool {
        let raw = bytes.bytes
        var offset = 0
        while offset + 8 <= bytes.count {
            let word = raw.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self)
            if word.hasControlByte && !bytes.extracting(offset..<offset + 8).allSatisfy(isFieldValue) { return false }
            offset += 8
        }
        return bytes.extracting(offset..<bytes.count).allSatisfy(isFieldValue)
    }

    /// A byte of a request target: visible ASCII but `#`, which would begin a fragment (RFC 9112 §3.2).
    @inlinable
    package static func isTarget(_ byte: UInt8) -> Bool {
        byte > 0x20 && byte < 0x7F && byte != UInt8(ascii: "#")
    }

    /// One or more request target bytes.
    package static func isTarget(_ bytes: Span<UInt8>) -> Bool {
        !bytes.isEmpty && bytes.allSatisfy(isTarget)
    }

    @inlinable
    package static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }

    /// The value of a hexadecimal digit, or nil.
    @inlinable
    package static func hexValue(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte - 0x41 + 10
        case 0x61...0x66: byte - 0x61 + 10
        default: nil
        }
    }
}

extension UInt64 {
    /// Eight bytes of which at least one is below 0x20 or 0x7F. Bytes above ASCII never raise it falsely by themselves;
    /// a byte that follows a real hit may.
    @inlinable
    var hasControlByte: Bool {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let highs: UInt64 = 0x8080_8080_8080_8080
        let below = (self &- ones &* 0x20) & ~self & highs
        let deletes = self ^ (ones &* 0x7F)
        return below | ((deletes &- ones) & ~deletes & highs) != 0
    }
}

extension Span<UInt8> {
    @inlinable
    package func allSatisfy(_ isLegal: (UInt8) -> Bool) -> Bool {
        var index = 0
        while index < count {
            guard isLegal(self[index]) else { return false }
            index += 1
        }
        return true
    }

    /// Whether the bytes are this lower-case ASCII text, in any case.
    package func equalsIgnoringCase(_ text: StaticString) -> Bool {
        guard count == text.utf8CodeUnitCount else { return false }
        var index = 0
        while index < count {
            guard self[index].asciiLowercased == text.utf8Start[index] else { return false }
            index += 1
        }
        return true
    }

    /// Whether both are the same but for the case of ASCII letters.
    package func equalsIgnoringCase(_ other: Span<UInt8>) -> Bool {
        guard count == other.count else { return false }
        var index = 0
        while index < count {
            guard self[index].asciiLowercased == other[index].asciiLowercased else { return false }
            index += 1
        }
        return true
    }

    package func equals(_ text: StaticString) -> Bool {
        guard count == text.utf8CodeUnitCount else { return false }
        var index = 0
        while index < count {
            guard self[index] == text.utf8Start[index] else { return false }
            index += 1
        }
        return true
    }

    /// The place of the first such byte at or after the offset, or nil.
    package func firstIndex(of byte: UInt8, from offset: Int = 0) -> Int? {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let pattern = ones &* UInt64(byte)
        let raw = bytes
        var index = offset
        while index + 8 <= count {
            let word = UInt64(littleEndian: raw.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self)) ^ pattern
            let hit = (word &- ones) & ~word & 0x8080_8080_8080_8080
            if hit != 0 { return index + hit.trailingZeroBitCount / 8 }
            index += 8
        }
        while index < count {
            if self[index] == byte { return index }
            index += 1
        }
        return nil
    }

    /// The part of the range that has no spaces and tabs at its ends (OWS, RFC 9110 §5.6.3).
    package func rangeWithoutOuterBlanks(_ range: Range<Int>) -> Range<Int> {
        var start = range.lowerBound
        var end = range.upperBound
        while start < end, self[start] == 0x20 || self[start] == 0x09 { start += 1 }
        while end > start, self[end - 1] == 0x20 || self[end - 1] == 0x09 { end -= 1 }
        return start..<end
    }
}
