import LinuxIO
import Testing

/// Looking names up without waiting for ever.
@Suite(.timeLimit(.minutes(5)))
struct AddressResolverTests {
    @Test func `a name under localhost is loopback`() async throws {
        let answer = await AddressResolver.resolveElsewhere("my-agent.localhost", port: 443, secondsMax: 600)
        #expect(try answer.get().first == .loopback(port: 443))
    }

    @Test func `a resolver that does not answer is waited for no longer than was said`() async {
        let answer = await AddressResolver.within(0, of: "slow.example") { _ in }
        let failure = #expect(throws: AddressResolver.Failure.self) { try answer.get() }
        #expect(failure?.description == "“slow.example” cannot be resolved: no answer within 0 s")
    }

    @Test func `the first answer counts`() async throws {
        let answer = await AddressResolver.within(600, of: "quick.example") {
            $0.finish(.success([.loopback(port: 1)]))
            $0.finish(.success([.loopback(port: 2)]))
        }
        #expect(try answer.get() == [.loopback(port: 1)])
    }
}
