import Testing

@testable import culvert_rpc

struct OptionsTests {
    @Test func `the command line goes before the environment`() throws {
        let environment = ["CULVERT_SERVER": "http://a.localhost", "CULVERT_CA_FILE": "ca"]
        let options = try Options(["--mcp", "--allow=operate", "--server", "http://b.localhost"], environment: environment)
        #expect(options.isMCPOnly && options.allowed == .operate)
        #expect(options.server == "http://b.localhost" && options.caFile == "ca")
        #expect(try Options([]).allowed == .read)
        #expect(try Options([]).confirmation == .auto)
        #expect(try Options(["--confirm", "ask"]).confirmation == .ask)
    }

    @Test(arguments: [
        ["--nope"], ["--allow"], ["--allow", "everything"], ["--confirm"], ["--confirm", "never"], ["--api-key", "x"],
        ["--password=x"], ["--api-key-file", "-"],
        ["--limit", "x=1"],
        ["--limit", "depth"], ["word"], ["--notify-socket"],
    ])
    func `a wrong command line is refused, and no secret is repeated`(words: [String]) throws {
        let error = #expect(throws: UsageError.self) { try Options(words) }
        #expect(error?.message.contains("=x") == false)
    }

    @Test(arguments: Limits.Name.allCases)
    func `every limit can be set from its first to its last value`(name: Limits.Name) throws {
        var limits = Limits()
        #expect(limits[name] == name.standard && name.range.contains(name.standard))
        for value in [name.range.lowerBound, name.range.upperBound] {
            try limits.set("\(name.rawValue)=\(value)")
            #expect(limits[name] == value)
        }
        for value in ["\(name.range.lowerBound - 1)", "\(name.range.upperBound + 1)", "", "x"] {
            #expect(throws: UsageError.self) { try limits.set("\(name.rawValue)=\(value)") }
        }
    }
}
