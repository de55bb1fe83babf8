import TestSupport
import Testing
import TunnelDomain

struct ZoneTests {
    @Test(arguments: [
        ("localhost", "localhost"), ("Tunnels.Example.COM", "tunnels.example.com"), ("example.com.", "example.com"),
        ("a-b.c1", "a-b.c1"), ("1.example", "1.example"),
        (String(repeating: "a", count: 63) + ".b", String(repeating: "a", count: 63) + ".b"),
    ])
    func `a domain name is a zone`(text: String, zone: String) throws {
        #expect(try Zone(validating: text).text == zone)
    }

    @Test(
        arguments: [
            ("", .empty), (".", .emptyLabel), ("a..b", .emptyLabel), (".a", .emptyLabel), ("a.b..", .emptyLabel),
            ("a_b.c", .illegalCharacter(at: 1)), ("*.a", .illegalCharacter(at: 0)), ("a:443", .illegalCharacter(at: 1)),
            ("-a.b", .hyphenAtLabelEdge), ("a-.b", .hyphenAtLabelEdge),
            ("127.0.0.1", .numericLastLabel), ("1", .numericLastLabel),
            (String(repeating: "a", count: 64) + ".b", .labelTooLong(byteCount: 64)),
        ] as [(String, ZoneError)])
    func `what is no domain name is no zone`(text: String, error: ZoneError) {
        #expect(throws: error) { try Zone(validating: text) }
        #expect(!error.explanation.isEmpty)
    }

    @Test func `an explanation counts positions from 1`() {
        #expect(ZoneError.illegalCharacter(at: 0).explanation.contains("position 1;"))
    }

    @Test func `the longest name fits in front of the longest zone`() throws {
        let labels = [String](repeating: String(repeating: "a", count: 46), count: 4).joined(separator: ".") + "a"
        let zone = try Zone(validating: labels + "a")
        #expect(zone.text.utf8.count == Zone.byteCountMax)
        let name = try TunnelName(validating: String(repeating: "n", count: 63))
        #expect(PublicHost(name: name, zone: zone).text.utf8.count == 253)
        #expect(throws: ZoneError.tooLong(byteCount: 190)) { try Zone(validating: zone.text + "b") }
    }

    @Test func `a zone is accepted in any case and gives itself`() throws {
        try checkProperty { sample in
            let zone = sample.zone()
            let text = String(zone.text.map { sample.bool() ? Character($0.uppercased()) : $0 }) + (sample.bool() ? "." : "")
            sample.note(text)
            try sample.check(try Zone(validating: text), is: zone)
        }
    }
}

extension Sample {
    /// Draws a valid zone of one to four labels.
    mutating func zone() -> Zone {
        let labels = (0..<int(in: 1...4)).map { _ in "z" + text(of: "abc0189", count: 0...20) + "x" }
        guard let zone = try? Zone(validating: labels.joined(separator: ".")) else { preconditionFailure("labels are valid") }
        return zone
    }
}
