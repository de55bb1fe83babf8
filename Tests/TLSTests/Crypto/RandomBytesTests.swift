import TLS
import Testing

@Suite struct RandomBytesTests {
    @Test func `random bytes differ and have the length asked for`() {
        #expect(RandomBytes.make(count: 0) == [])
        let samples = Set((0..<100).map { _ in RandomBytes.make(count: 16) })
        #expect(samples.count == 100)
        #expect(samples.allSatisfy { $0.count == 16 })
        var generator = SecureGenerator()
        #expect(Set((0..<100).map { _ in generator.next() }).count == 100)
    }
}
