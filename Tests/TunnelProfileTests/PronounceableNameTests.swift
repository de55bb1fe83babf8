import Testing
import TunnelDomain
import TunnelProfile

struct PronounceableNameTests {
    @Test func `made-up names are valid and differ`() throws {
        var random = SystemRandomNumberGenerator()
        let names = (0..<1_000).map { _ in PronounceableName.make(using: &random) }
        for name in names { _ = try TunnelName(validating: name) }
        #expect(Set(names).count == names.count)
    }
}
