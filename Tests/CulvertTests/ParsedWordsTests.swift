internal import Testing
@testable internal import culvert

struct ParsedWordsTests {
    @Test(
        arguments: [
            (["login"], ["login"], [], [:]),
            (["http", "3000"], ["http"], ["3000"], [:]),
            (["http", "3000", "--name", "my-agent"], ["http"], ["3000"], ["--name": "my-agent"]),
            (["http", "--name=my-agent", "3000"], ["http"], ["3000"], ["--name": "my-agent"]),
            (["--server", "https://a.example", "http", "3000"], ["http"], ["3000"], ["--server": "https://a.example"]),
            (["login", "--api-key-file", "-"], ["login"], [], ["--api-key-file": "-"]),
            (["tunnels", "list"], ["tunnels", "list"], [], [:]),
            (["tunnels", "get", "list"], ["tunnels", "get"], ["list"], [:]),
            (["tunnels", "get", "--", "--odd"], ["tunnels", "get"], ["--odd"], [:]),
            (["tunnels", "rotate-secret", "a"], ["tunnels", "rotate-secret"], ["a"], [:]),
            (
                ["tunnels", "update", "a", "--description", "-5 degrees"], ["tunnels", "update"], ["a"],
                ["--description": "-5 degrees"]
            ),
            (
                ["tunnels", "update", "a", "--metadata={\"a\":\"b=c\"}"], ["tunnels", "update"], ["a"],
                ["--metadata": "{\"a\":\"b=c\"}"]
            ),
        ] as [([String], [String], [String], [String: String])])
    func `a good command line is sorted into its parts`(
        words: [String], path: [String], arguments: [String], values: [String: String]
    ) throws {
        let parsed = try ParsedWords(words)
        #expect(parsed.command.path == path)
        #expect(parsed.arguments == arguments)
        #expect(parsed.values == values)
    }

    @Test(
        arguments: [
            (["htp", "3000"], "there is no command \"htp\"; did you mean http?"),
            (["frobnicate"], "there is no command \"frobnicate\""),
            (["tunnels"], "a command is missing"),
            (["tunnels", "lst"], "there is no command \"lst\"; did you mean list?"),
            (["http"], "TARGET is missing"),
            (["http", "3000", "4000"], "\"4000\" is one argument too many"),
            (["http", "3000", "--nam", "x"], "there is no option --nam; did you mean --name?"),
            (["http", "3000", "--name"], "--name needs a value: --name NAME"),
            (["http", "3000", "--name", "--json"], "--name needs a value: --name NAME"),
            (["http", "3000", "--name="], "the value of --name is empty"),
            (["http", "3000", "--name", "a", "--name", "b"], "--name is given twice"),
            (["http", "3000", "--allow-remote=yes"], "--allow-remote takes no value"),
            (["tunnels", "get", "evil\u{1B}[2Jname", "b"], "\"b\" is one argument too many"),
            (["evil\u{1B}[2Jname"], "there is no command \"evil?[2Jname\""),
        ] as [([String], String)])
    func `a bad command line is told what is wrong with it`(words: [String], message: String) {
        do {
            _ = try ParsedWords(words)
            Issue.record("it was accepted")
        } catch {
            #expect(error.message == message)
        }
    }

    @Test(arguments: ["--api-key", "--secret", "--token"])
    func `a secret on the command line is refused and never repeated`(option: String) {
        for words in [["login", option, "ApiKey_s3cret"], ["login", "\(option)=ApiKey_s3cret"]] {
            do {
                _ = try ParsedWords(words)
                Issue.record("it was accepted")
            } catch {
                #expect(!error.message.contains("s3cret"))
                #expect(error.message.contains("--api-key-file"))
            }
        }
    }

    @Test func `the environment gives what the command line does not`() throws {
        let environment = ["CULVERT_SERVER": "https://env.example", "CULVERT_CA_FILE": "", "CULVERT_EDGE": "e:1"]
        let parsed = try ParsedWords(["http", "1", "--edge", "flag:2"], environment: environment)
        #expect(parsed.value("--server") == "https://env.example")
        #expect(parsed.value("--ca-file") == nil, "an empty variable is no value")
        #expect(parsed.value("--edge") == "flag:2", "the command line goes before the environment")
    }

    @Test(arguments: CommandSpec.all.map(\.path))
    func `every command explains itself`(path: [String]) throws {
        for word in ["--help", "-h"] {
            let parsed = try ParsedWords(path + [word])
            #expect(parsed.has("--help"))
            let help = HelpText.of(parsed.command)
            #expect(help.contains("Usage: culvert"))
            for option in parsed.command.allOptions { #expect(help.contains(option.name)) }
            #expect(help.split(separator: "\n").allSatisfy { $0.count <= 110 }, "lines that fit a terminal")
        }
    }

    @Test func `the examples of the help are understood`() throws {
        for example in CommandSpec.all.flatMap(\.examples)
        where !example.contains("'") && !example.contains("|") && !example.contains("&") && !example.contains(">") {
            _ = try ParsedWords(example.split(separator: " ").dropFirst().map(String.init))
        }
    }

    @Test(arguments: [("", "", 0), ("abc", "", 3), ("kitten", "sitting", 3), ("list", "lst", 1), ("same", "same", 0)])
    func `the distance of two words is the number of letters that differ`(left: String, right: String, distance: Int) {
        #expect(EditDistance.between(left, right) == distance)
        #expect(EditDistance.between(right, left) == distance)
    }
}
