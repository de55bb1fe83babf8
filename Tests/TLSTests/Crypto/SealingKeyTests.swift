import TLS
import Testing
import TunnelWire

@Suite struct SealingKeyTests {
    let key = SealingKey(bytes: RandomBytes.make(count: 32))

    @Test(arguments: [31, 33, 0]) func `a key has exactly 32 bytes`(count: Int) {
        #expect(SealingKey(bytes: RandomBytes.make(count: count)) == nil)
    }

    @Test(arguments: [0, 1, 15, 16, 17, 4_096]) func `what was sealed opens unchanged`(count: Int) throws {
        let key = try #require(key)
        let plain = RandomBytes.make(count: count)
        let sealed = try key.seal(plain, context: Array("row 7".utf8))
        #expect(sealed.count == count + SealingKey.overheadByteCount)
        #expect(try key.open(sealed, context: Array("row 7".utf8)) == plain)
    }

    @Test func `a value sealed by a known key and nonce opens as the GCM standard says`() throws {
        // Test case 14 of the GCM specification: key, nonce and plain text all zero.
        let key = try #require(SealingKey(bytes: [UInt8](repeating: 0, count: 32)))
        let sealed = try #require(
            Hex.decode("000000000000000000000000" + "cea7403d4d606b6e074ec5d3baf39d18" + "d0d1c8a799996bf0265b98b5d48ab919"))
        #expect(try key.open(sealed) == [UInt8](repeating: 0, count: 16))
    }

    @Test func `the same value is sealed differently every time`() throws {
        let key = try #require(key)
        #expect(try key.seal([1, 2, 3]) != key.seal([1, 2, 3]))
    }

    @Test func `any changed bit, another context and another key are refused`() throws {
        let key = try #require(key)
        let sealed = try key.seal(Array("secret".utf8), context: [1])
        for place in sealed.indices {
            var changed = sealed
            changed[place] ^= 0x80
            #expect(throws: SealingKey.OpenError.notAuthentic) { try key.open(changed, context: [1]) }
        }
        #expect(throws: SealingKey.OpenError.notAuthentic) { try key.open(sealed, context: [2]) }
        #expect(throws: SealingKey.OpenError.notAuthentic) { try key.open(sealed) }
        let other = try #require(SealingKey(bytes: RandomBytes.make(count: 32)))
        #expect(throws: SealingKey.OpenError.notAuthentic) { try other.open(sealed, context: [1]) }
        #expect(throws: SealingKey.OpenError.tooShort) { try key.open(Array(sealed.prefix(27)), context: [1]) }
    }
}
