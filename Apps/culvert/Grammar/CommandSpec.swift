/// One option of a command, as help shows it and the parser takes it.
struct OptionSpec: Sendable, Hashable {
    /// With its dashes: `--name`.
    var name: String
    /// What stands for the value in help, or nil for a switch.
    var valueName: String?
    var help: String
    /// The environment variable that gives the value when the option is absent.
    var environment: String?
    /// It may be given several times.
    var isRepeatable = false

    static func list(_ name: String, _ valueName: String, _ help: String) -> OptionSpec {
        OptionSpec(name: name, valueName: valueName, help: help, isRepeatable: true)
    }

    static func value(_ name: String, _ valueName: String, _ help: String, environment: String? = nil) -> OptionSpec {
        OptionSpec(name: name, valueName: valueName, help: help, environment: environment)
    }

    static func flag(_ name: String, _ help: String) -> OptionSpec { OptionSpec(name: name, valueName: nil, help: help) }
}

/// One command, or a family of commands: the one table that parsing, help and tests read.
struct CommandSpec: Sendable {
    /// The words that name it: `["tunnels", "list"]`; empty for `culvert` itself.
    var path: [String]
    var summary: String
    /// What a newcomer must know, in lines of up to 78 characters.
    var discussion: String = ""
    /// The arguments in order, such as `NAME-OR-ID`; those in brackets, at the end, may be left out.
    var arguments: [String] = []
    var options: [OptionSpec] = []
    var examples: [String] = []

    var requiredArgumentCount: Int { arguments.count { !$0.hasPrefix("[") } }

    var name: String { (["culvert"] + path).joined(separator: " ") }

    /// The line that begins its help.
    var usage: String {
        guard !isFamily else { return "\(name) COMMAND [OPTIONS]" }
        return ([name] + arguments + ["[OPTIONS]"]).joined(separator: " ")
    }

    /// Whether it only has commands below it.
    var isFamily: Bool { !CommandSpec.children(of: path).isEmpty }

    var allOptions: [OptionSpec] { options + CommandSpec.sharedOptions }
}

extension CommandSpec {
    static func named(_ path: [String]) -> CommandSpec? { all.first { $0.path == path } }

    static func children(of path: [String]) -> [CommandSpec] {
        all.filter { $0.path.count == path.count + 1 && $0.path.starts(with: path) }
    }

    /// Understood by every command.
    static let sharedOptions: [OptionSpec] = [
        .value("--server", "URL", "the server to talk to, instead of the one logged in to", environment: "CULVERT_SERVER"),
        .value(
            "--api-key-file", "FILE", "read the API key from FILE, or from standard input with -",
            environment: "CULVERT_API_KEY_FILE"),
        .value(
            "--ca-file", "FILE", "trust the authorities in this PEM file instead of the system's",
            environment: "CULVERT_CA_FILE"),
        .flag("--json", "print JSON for programs instead of text for people"),
        .flag("--help", "explain this command"),
    ]
}
