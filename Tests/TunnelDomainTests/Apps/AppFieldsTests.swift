import TestSupport
import Testing
import TunnelDomain

struct AppFieldsTests {
    @Test(arguments: [
        ("", AppFieldError.nameEmpty), (String(repeating: "ß", count: 101), .nameTooLong(scalarCount: 101)),
        ("a\nb", .nameUnprintable), ("\u{7F}", .nameUnprintable), ("\u{85}", .nameUnprintable), ("a\0", .nameUnprintable),
    ])
    func `a bad name says what is bad`(name: String, error: AppFieldError) {
        #expect(throws: error) { try AppFields.check(name: name) }
        #expect(error.explanation.hasSuffix("."))
    }

    @Test(arguments: ["a", "Billing “nightly”", "日本 🚇", String(repeating: "ß", count: 100)])
    func `any visible name will do`(name: String) throws { try AppFields.check(name: name) }

    @Test func `an identifier is read as it is written, and in no other spelling`() throws {
        try checkProperty { sample in
            let id = AppID(randomBytes: sample.bytes(16))
            try sample.check(AppID(id.text), is: id)
            try sample.check(id.text.utf8.count, is: 36)
            try sample.check(!id.text.contains(":"), "a user name has no colon")
            let position = sample.int(in: 0...35)
            var bytes = Array(id.text.utf8)
            bytes[position] = UInt8(sample.int(in: 0...127))
            let changed = String(decoding: bytes, as: UTF8.self)
            if let other = AppID(changed) { try sample.check(other.text, is: changed) }
        }
        let text = AppID(UUIDValue(high: 0xABCD, low: 1)).text
        for other in [
            "", "app_", text.uppercased(), text + "0", String(text.dropLast()), "App" + text.dropFirst(3), " " + text,
        ] {
            #expect(AppID(other) == nil, "\(other)")
        }
    }

    @Test func `identifiers sort like their texts`() throws {
        try checkProperty { sample in
            let (left, right) = (AppID(randomBytes: sample.bytes(16)), AppID(randomBytes: sample.bytes(16)))
            try sample.check(left < right, is: left.text < right.text)
        }
    }

    @Test func `every set of scopes comes back from its text`() throws {
        try checkProperty { sample in
            let scopes = Set(sample.list(upTo: 8) { $0.element(of: Scope.allCases) })
            try sample.check(Set<Scope>(text: scopes.text), is: scopes)
            try sample.check(scopes.names, is: scopes.names.sorted())
        }
        for text in ["admin", "tunnels:read admin", "tunnels:read tunnels:read"] {
            #expect(Set<Scope>(text: text) == nil, "\(text)")
        }
    }
}
