import Foundation
import TestSupport
import Testing
import TunnelDomain

struct ReservedNamesTests {
    @Test func `the fixture and the list agree`() throws {
        let folder = URL(filePath: #filePath).deletingLastPathComponent()
        let file = folder.appending(path: "../../../Fixtures/Names/reserved.txt").standardizedFileURL
        let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n").filter { !$0.hasPrefix("#") }
        #expect(Set(lines.map(String.init)) == ReservedNames.standard.words)
        #expect(lines.count == ReservedNames.standard.words.count, "a word stands twice")
        #expect(lines == lines.sorted(), "the words are in order")
    }

    @Test(arguments: ["admin", "web-hook", "web-hooks", "j-s", "sign-up", "a-p-i", "pop3", "health-check"])
    func `reserved words are reserved, hyphens aside`(text: String) throws {
        #expect(ReservedNames.standard.contains(try TunnelName(validating: text)))
    }

    @Test(arguments: ["my-admin", "admins", "webhook1", "agent"])
    func `other names are free`(text: String) throws {
        #expect(!ReservedNames.standard.contains(try TunnelName(validating: text)))
    }

    @Test func `an operator adds and removes words`() throws {
        let names = ReservedNames.standard.adding(["My-Brand"]).removing(["Blog", "dev-"])
        #expect(names.contains(try TunnelName(validating: "mybrand")))
        #expect(names.contains(try TunnelName(validating: "my-brand")))
        #expect(!names.contains(try TunnelName(validating: "blog")))
        #expect(!names.contains(try TunnelName(validating: "d-e-v")))
        #expect(names.contains(try TunnelName(validating: "admin")))
    }

    @Test func `hyphens never free a reserved word`() throws {
        let words = ReservedNames.standard.words.sorted()
        try checkProperty { sample in
            var text = ""
            for character in sample.element(of: words) {
                if !text.isEmpty, sample.bool() { text.append("-") }
                text.append(character)
            }
            sample.note(text)
            guard let name = try? TunnelName(validating: text) else { return }
            try sample.check(ReservedNames.standard.contains(name), "\(text) is free")
        }
    }
}
