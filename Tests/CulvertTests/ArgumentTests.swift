internal import Foundation
internal import Testing
internal import TunnelClient
@testable internal import culvert

struct ArgumentTests {
    private static let now = Date(timeIntervalSince1970: 1_776_774_600)

    @Test(
        arguments: [
            ("2026-04-21T12:30:00Z", .ago, 0), ("2026-04-21T12:30:00.500Z", .ago, 0.5), ("2026-04-21", .ago, -45_000),
            ("30s", .ago, -30), ("30m", .ago, -1_800), ("24h", .ago, -86_400), ("7d", .ago, -604_800),
            ("90d", .ahead, 7_776_000),
            ("0s", .ago, 0),
        ] as [(String, TimeArgument.Direction, Double)])
    func `a time is a moment, a day or a span`(text: String, direction: TimeArgument.Direction, seconds: Double) throws {
        let moment = try TimeArgument.moment(text, of: "--since", direction, at: Self.now)
        #expect(abs(moment.timeIntervalSince(Self.now) - seconds) < 0.001)
    }

    @Test(arguments: [
        "", "soon", "7", "7w", "-7d", "1.5h", "2026-13-01", "2026-04-21T12:30:00", "9999999999d", "12:30", "2026-4-1", "٣d",
    ])
    func `what is no time is told`(text: String) {
        #expect(throws: Complaint.self) { try TimeArgument.moment(text, of: "--since", .ago, at: Self.now) }
    }

    @Test(
        arguments: [
            ("tunnels:read", ["tunnels:read"]), ("tunnels:read, audit:read", ["tunnels:read", "audit:read"]),
            ("tunnels:read,tunnels:read", ["tunnels:read"]), ("later:scope", ["later:scope"]),
        ] as [(String, [String])])
    func `a list is words between commas, each once`(text: String, words: [String]) throws {
        #expect(try AppCommands.scopes(text).map(\.rawValue) == words)
    }

    @Test(arguments: [nil, "", ",", "tunnels:read,", "tunnels:raed", "tunnel:read"])
    func `a list with a hole or a word that is nearly right is refused`(text: String?) {
        #expect(throws: Complaint.self) { try AppCommands.scopes(text) }
    }

    @Test(arguments: [["tunnel.*"], ["key.*", "*"], ["later.type"]])
    func `patterns and types that this program does not know go to the server`(types: [String]) throws {
        #expect(try EventsCommand.types(types.joined(separator: ",")).map(\.rawValue) == types)
    }

    @Test(
        arguments: [
            ([], 100), (["--limit", "1"], 1), (["--limit", "1000000"], 1_000_000), (["--all"], nil),
        ] as [([String], Int?)])
    func `a list is as long as was asked for`(words: [String], limit: Int?) throws {
        #expect(try AuditCommands.limit(ParsedWords(["audit", "list"] + words)) == limit)
    }

    @Test(arguments: [
        ["--limit", "0"], ["--limit", "1000001"], ["--limit", "many"], ["--limit", "-1"], ["--limit", "5", "--all"],
    ])
    func `a limit out of range is refused`(words: [String]) throws {
        let parsed = try ParsedWords(["audit", "list"] + words)
        #expect(throws: Complaint.self) { try AuditCommands.limit(parsed) }
    }

    @Test func `an audit filter has what the options say`() throws {
        let words = ["--actor", "a", "--action", "b.c", "--resource", "d", "--since", "1h", "--until", "2026-04-21T12:00:00Z"]
        #expect(
            try AuditCommands.filter(ParsedWords(["audit", "list"] + words), at: Self.now)
                == AuditFilter(
                    actor: "a", action: "b.c", resource: "d", since: Self.now.addingTimeInterval(-3_600),
                    until: Self.now.addingTimeInterval(-1_800)))
    }

    @Test(
        arguments: [
            (["--display-name", "n"], IdentityChange(displayName: .set("n"))),
            (["--clear-display-name"], IdentityChange(displayName: .clear)),
            (["--description", "d", "--clear-display-name"], IdentityChange(displayName: .clear, description: .set("d"))),
        ] as [([String], IdentityChange)])
    func `an identity's change says what to set and what to clear`(words: [String], change: IdentityChange) throws {
        #expect(try IdentityCommands.change(ParsedWords(["identities", "update", "a"] + words)) == change)
    }

    @Test(arguments: [("@My-Agent", "my-agent"), ("my-agent", "my-agent")])
    func `a handle is read as the server reads it`(text: String, handle: String) throws {
        #expect(try IdentityCommands.handle(text) == handle)
    }

    @Test(arguments: ["", "@", "a", "my_agent", "-a-", "a--b", "@@abc", String(repeating: "a", count: 64)])
    func `a handle that cannot be is refused`(text: String) {
        #expect(throws: Complaint.self) { try IdentityCommands.handle(text) }
    }

    @Test(
        arguments: [
            (nil, "an API that does not have the call is no missing thing", ExitCode.notFound),
            ("no-such-path", "older than this program", .failure),
        ] as [(String?, String, ExitCode)])
    func `a server without a call is told from a thing that is not there`(code: String?, said: String, exit: ExitCode) throws {
        let refusal = ServerRefusal(status: 404, code: code, detail: "no")
        let complaint = Complaint(
            .refused(refusal), act: "a", server: try ServerURL(validating: "https://a.example"), listing: "culvert apps list")
        #expect(complaint.exitCode == exit)
        #expect(complaint.advice.contains(code == nil ? "culvert apps list" : said))
    }
}
