import TestSupport
import Testing
import TunnelDomain

struct AgentHandleTests {
    @Test(arguments: [("@My-Agent", "my-agent"), ("my-agent", "my-agent"), ("ABC", "abc"), ("@007", "007")])
    func `a handle is brought into its normal form`(text: String, normal: String) throws {
        #expect(try AgentHandle(validating: text).text == normal)
    }

    @Test(
        arguments: [
            ("@@agent", .illegalCharacter("@", at: 0)), ("@", .tooShort(byteCount: 0)), ("@ab", .tooShort(byteCount: 2)),
            ("ÄGENT", .illegalCharacter("Ä", at: 0)),
        ] as [(String, TunnelNameError)])
    func `a bad handle says what is bad in its normal form`(text: String, error: TunnelNameError) {
        #expect(throws: error) { try AgentHandle(validating: text) }
    }

    @Test func `case and one at sign make no difference`() throws {
        try checkProperty { sample in
            let name = sample.tunnelName()
            let written = String(name.text.map { sample.bool() ? Character($0.uppercased()) : $0 })
            let text = (sample.bool() ? "@" : "") + written
            sample.note(text)
            try sample.check(try AgentHandle(validating: text), is: AgentHandle(name))
        }
    }
}
