import TestSupport
import Testing
import TunnelDomain

struct IdentifiersTests {
    @Test(arguments: [
        "", "123e4567-e89b-42d3-a456-42661417400", "123e4567-e89b-42d3-a456-4266141740000",
        "123e4567e89b42d3a456426614174000", "123e4567-e89b-42d3-a456_426614174000", "g23e4567-e89b-42d3-a456-426614174000",
        "{123e4567-e89b-42d3-a456-426614174000}", "123e4567-e89b-42d3-a456-42661417400 ",
        "1-23e4567-e89b-42d3-a456-426614174000",
    ])
    func `what is no UUID is refused`(text: String) {
        #expect(TunnelID(text) == nil)
        #expect(IdentityID(text) == nil)
    }

    @Test func `a UUID is read in either case and written in lower case`() {
        let text = "123e4567-e89b-42d3-a456-426614174000"
        #expect(TunnelID(text)?.text == text)
        #expect(IdentityID(text.uppercased())?.text == text)
        #expect(TunnelID(text)?.value.high == 0x123e_4567_e89b_42d3)
    }

    @Test(arguments: [
        ("org_123", true), ("org_aZ_9", true), ("org_" + String(repeating: "a", count: 64), true),
        ("org_" + String(repeating: "a", count: 65), false), ("org_", false), ("", false), ("Org_1", false),
        ("org-1", false), ("org_a-b", false), ("org_é", false), (" org_1", false),
    ])
    func `an organization's identifier has its form`(text: String, isValid: Bool) {
        #expect((OrganizationID(text) != nil) == isValid)
    }

    @Test func `random identifiers are version 4 and survive being written`() throws {
        try checkProperty { sample in
            let bytes = sample.bytes(16)
            let id = TunnelID(randomBytes: bytes)
            sample.note(id.text)
            try sample.check(TunnelID(id.text), is: id)
            let characters = Array(id.text)
            try sample.check(characters.count, is: 36, "the length")
            try sample.check(characters[14], is: "4", "the version")
            try sample.check("89ab".contains(characters[19]), "the variant is wrong")
            // 122 of the 128 bits are as they were given.
            let changed = zip(bytes, id.value.bytes).map { ($0 ^ $1).nonzeroBitCount }.reduce(0, +)
            try sample.check(changed <= 6, "\(changed) bits changed")
            try sample.check(
                zip(bytes, id.value.bytes).enumerated().allSatisfy { [6, 8].contains($0) || $1.0 == $1.1 }, "bytes")
        }
    }

    @Test func `organizations' identifiers are made in their own form`() throws {
        try checkProperty { sample in
            let id = OrganizationID(randomBytes: sample.bytes(sample.int(in: 1...40)))
            sample.note(id.text)
            try sample.check(OrganizationID(id.text), is: id)
        }
    }

    @Test func `identifiers sort as their texts do`() throws {
        try checkProperty { sample in
            let (left, right) = (TunnelID(randomBytes: sample.bytes(16)), TunnelID(randomBytes: sample.bytes(16)))
            try sample.check(left < right, is: left.text < right.text, "the order of \(left) and \(right)")
        }
    }
}
