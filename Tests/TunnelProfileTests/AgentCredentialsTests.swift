import Testing

@testable import TunnelProfile

struct AgentCredentialsTests {
    @Test(
        arguments: [
            ("ApiKey_1\n", "ApiKey_1", nil), ("  ApiKey_1  ", "ApiKey_1", nil),
            ("ApiKey_1\nRotSecret_2\n", "ApiKey_1", "RotSecret_2"), ("other-servers-key", "other-servers-key", nil),
        ] as [(String, String, String?)])
    func `a key file holds a key and perhaps its rotation secret`(text: String, key: String, secret: String?) throws {
        let credentials = try AgentCredentials(text)
        #expect(credentials.apiKey == key && credentials.rotationSecret == secret)
    }

    @Test(arguments: ["", " \n", "ApiKey_1 ApiKey_2", "ApiKey_1 RotSecret_2 x", "RotSecret_1", "tnl_1", "a b"])
    func `anything else is refused, and never repeated`(text: String) {
        do throws(ProfileFlaw) {
            _ = try AgentCredentials(text)
            Issue.record("it was accepted")
        } catch {
            for word in text.split(separator: " ") { #expect(!error.description.contains(word + " ")) }
        }
    }
}
