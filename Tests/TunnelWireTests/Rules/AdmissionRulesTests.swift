import TestSupport
import Testing
import TunnelDomain

@testable import TunnelWire

struct AdmissionRulesTests {
    /// Stands for SHA-256: equal texts give equal digests, others do not.
    private static func digest(_ bytes: [UInt8]) -> [UInt8] {
        Array((bytes + [UInt8](repeating: 0, count: 32)).prefix(31)) + [UInt8(truncatingIfNeeded: bytes.count)]
    }

    private func rules(addresses: [String]? = nil, users: [String] = []) -> AdmissionRules {
        var rules = AdmissionRules()
        rules.addresses = addresses?.compactMap { IPRange($0) }
        for user in users { rules.addDigest(Self.digest(Array(user.utf8))) }
        return rules
    }

    private func judge(_ rules: AdmissionRules, from address: String? = "192.0.2.7", _ authorization: [String] = [])
        -> AdmissionRules.Verdict
    {
        rules.judge(
            address: address, HTTPFields(authorization.map { ("authorization", $0) }), equal: constantTimeEquals,
            digest: Self.digest)
    }

    private func basic(_ text: String) -> String { "Basic " + Base64.encode(Array(text.utf8)) }

    @Test func `without rules everybody passes`() {
        #expect(judge(rules()) == .admitted && judge(rules(), from: nil) == .admitted && rules().isEmpty)
    }

    @Test(
        arguments: [
            ("192.0.2.7", true), ("::ffff:192.0.2.9", true), ("192.0.3.1", false), ("2001:db8::1", true),
            ("2001:db9::1", false),
            (nil, false), ("", false), ("unknown", false), ("192.0.2.7:80", false),
        ] as [(String?, Bool)])
    func `an address passes when a range has it`(address: String?, passes: Bool) {
        let rules = rules(addresses: ["192.0.2.0/24", "2001:db8::/32"])
        #expect(judge(rules, from: address) == (passes ? .admitted : .addressRefused))
    }

    @Test func `an empty list lets nobody pass`() { #expect(judge(rules(addresses: [])) == .addressRefused) }

    @Test func `the right name and password pass, in whatever spelling of Basic`() {
        let rules = rules(users: ["ops:secret", "dev:se:cret"])
        #expect(judge(rules, [basic("ops:secret")]) == .admitted)
        #expect(judge(rules, [basic("dev:se:cret")]) == .admitted)
        #expect(judge(rules, ["BASIC  " + Base64.encode(Array("ops:secret".utf8))]) == .admitted)
    }

    @Test func `everything else is asked for, or refused`() {
        let rules = rules(users: ["ops:secret"])
        #expect(judge(rules) == .credentialsMissing)
        for wrong in ["ops:Secret", "ops:", ":secret", "ops:secret "] {
            #expect(judge(rules, [basic(wrong)]) == .credentialsWrong, "\(wrong)")
        }
        for none in ["", "Basic", "Basic !!!", "Bearer abc", basic("nocolon")] {
            #expect(judge(rules, [none]) == .credentialsMissing, "\(none)")
        }
        // Two fields could mean two things to two readers.
        #expect(judge(rules, [basic("ops:secret"), basic("ops:secret")]) == .credentialsMissing)
    }

    @Test func `outside the list no password is looked at`() {
        let rules = rules(addresses: ["192.0.2.0/24"], users: ["ops:secret"])
        #expect(judge(rules, from: "198.51.100.1", [basic("ops:secret")]) == .addressRefused)
        #expect(judge(rules, [basic("ops:secret")]) == .admitted)
    }

    @Test func `exactly those pass who are in the list`() throws {
        try checkProperty { sample in
            let users = sample.list(upTo: 4) { $0.text(of: "ab:", count: 0...3) }.map { "u:" + $0 }
            let tried = "u:" + sample.text(of: "ab:", count: 0...3)
            guard !users.isEmpty else { return }
            let verdict = judge(rules(users: users), [basic(tried)])
            try sample.check(verdict == .admitted, is: users.contains(tried), "admission of \(tried) among \(users)")
        }
    }
}
