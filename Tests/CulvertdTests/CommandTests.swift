@testable import culvertd
import Foundation
import Testing

@Suite struct CommandTests {
    @Test(
        arguments: [
            ([], "no command"), (["start"], "“start” is no command"),
            (["serve", "--foo"], "--foo is no flag of `culvertd serve`"),
            (["serve", "--data-dir"], "--data-dir needs a value"), (["serve", "--data-dir="], "--data-dir needs a value"),
            (["serve", "extra"], "“extra” is one word too many"), (["init", "--json=yes"], "--json=yes"),
            (["init", "--https", "127.0.0.1:1"], "--https is no flag of `culvertd init`"), (["init", "-x"], "-x is no flag"),
            (["openapi", "--json"], "--json is no flag of `culvertd openapi`"),
            (["audit"], "say what to do"), (["audit", "edit"], "“audit edit” is no command"),
            (["audit", "verify", "--since", "x"], "--since is no flag of `culvertd audit verify`"),
        ] as [([String], String)])
    func `words that are no command are refused with the reason`(words: [String], part: String) {
        let error = #expect(throws: UsageError.self) { try Command(words: words) }
        let text = error?.description ?? ""
        #expect(text.contains(part.split(separator: "=").first ?? ""), "\(text)")
    }

    @Test func `the data directory comes by flag or environment, once`() throws {
        func directory(_ words: [String], _ environment: [String: String] = [:]) throws -> String {
            guard case .serve(let flags) = try Command(words: ["serve"] + words) else { throw UsageError("not serve") }
            return try flags.dataDirectory(in: environment)
        }
        #expect(try directory(["--data-dir", "/a/"]) == "/a")
        #expect(try directory(["--data-dir=/"]) == "/")
        #expect(try directory([], ["CULVERT_DATA_DIR": "/b"]) == "/b")
        #expect(try directory(["--data-dir", "/a"], ["CULVERT_DATA_DIR": "/b"]) == "/a")
        #expect(throws: UsageError.self) { try directory([]) }
        #expect(throws: UsageError.self) { try directory(["--data-dir", "/a", "--data-dir", "/b"]) }
    }

    @Test(
        arguments: [
            (["--help"], .help(.all)), (["help"], .help(.all)), (["init", "--help"], .help(.initialize)),
            (["serve", "--data-dir", "/a", "-h"], .help(.serve)), (["--version"], .version),
            (["openapi"], .openapi), (["openapi", "--help"], .help(.openapi)),
            (["audit", "--help"], .help(.audit)), (["audit", "verify", "-h"], .help(.audit)),
        ] as [([String], Command)])
    func `help and version are understood everywhere`(words: [String], command: Command) throws {
        #expect(try Command(words: words) == command)
    }

    @Test func `the operator's handbook has the same table of settings`() throws {
        // .../Tests/CulvertdTests/CommandTests.swift
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let handbook = try String(contentsOf: root.appending(path: "Docs/Operations.md"), encoding: .utf8)
        #expect(
            handbook.contains(Help.markdownTable),
            "put this into Docs/Operations.md under Settings:\n\(Help.markdownTable)")
    }

    @Test func `the help names every setting in its three spellings`() {
        let help = Help.text(.serve)
        for setting in Setting.all {
            #expect(help.contains("\(setting.flag) "))
            #expect(help.contains(setting.environmentName))
            #expect(help.contains("\"\(setting.name)\""))
        }
        for code in ExitCode.allCases { #expect(Help.text(.all).contains("\(code.rawValue)  \(code.meaning)")) }
    }
}
