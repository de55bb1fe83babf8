import TLS
import Testing
import TunnelService
import TunnelWire

@Suite struct ServicePortsTests {
    @Test func `the hasher is SHA-256`() {
        let digest = OpenSSLHasher().hash(ofSecret: "abc")
        #expect(Hex.encode(digest) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    }

    @Test func `the sealer opens what it sealed, for its context alone`() throws {
        let sealer = OpenSSLSealer(key: try #require(SealingKey(bytes: RandomBytes.make(count: 32))))
        let sealed = sealer.seal([1, 2, 3], context: [9])
        #expect(sealer.open(sealed, context: [9]) == [1, 2, 3])
        #expect(sealer.open(sealed, context: [8]) == nil)
        #expect(sealer.open([], context: [9]) == nil)
    }
}
