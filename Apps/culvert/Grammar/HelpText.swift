/// Help for a command, written from its table.
enum HelpText {
    static func of(_ command: CommandSpec) -> String {
        var parts = ["\(command.summary)\n\nUsage: \(command.usage)"]
        if !command.discussion.isEmpty { parts.append(command.discussion) }
        let children = CommandSpec.children(of: command.path)
        if !children.isEmpty { parts.append("Commands:\n" + table(children.map { ($0.path.last ?? "", $0.summary) })) }
        if !command.options.isEmpty { parts.append("Options:\n" + table(command.options.map(row))) }
        parts.append("Options of every command:\n" + table(CommandSpec.sharedOptions.map(row)))
        if !command.examples.isEmpty {
            parts.append("Examples:\n" + command.examples.map { "  \($0)" }.joined(separator: "\n"))
        }
        if command.path.isEmpty { parts.append(exitCodes) }
        if command.isFamily { parts.append("\"\(command.name) COMMAND --help\" explains a command.") }
        return parts.joined(separator: "\n\n") + "\n"
    }

    static let exitCodes =
        "Exit codes:\n" + table(ExitCode.allCases.map { ("\($0.rawValue)", $0.meaning) })

    private static func row(_ option: OptionSpec) -> (String, String) {
        let left = option.valueName.map { "\(option.name) \($0)" } ?? option.name
        return (left, option.help + (option.environment.map { " [\($0)]" } ?? ""))
    }

    private static func table(_ rows: [(String, String)]) -> String {
        let width = rows.map(\.0.count).max() ?? 0
        return rows.map { "  \($0.0)\(String(repeating: " ", count: width - $0.0.count))  \($0.1)" }.joined(separator: "\n")
    }
}

// MARK: - The manual

extension HelpText {
    /// Every command with its options, as `Docs/CommandLine.md` shows them.
    static var markdownTable: String {
        let commands = CommandSpec.all.filter { !$0.isFamily }
        let rows = commands.map { command in
            "| `\(([command.name] + command.arguments).joined(separator: " "))` | \(command.summary) "
                + "| \(command.options.map(shape).joined(separator: " ")) |"
        }
        return (["| command | what it does | options |", "|---|---|---|"] + rows).joined(separator: "\n")
    }

    /// The options that every command has.
    static var markdownOptions: String {
        let rows = CommandSpec.sharedOptions.map { option in
            "| \(shape(option)) | \(option.environment.map { "`\($0)`" } ?? "") | \(option.help) |"
        }
        return (["| option | environment | meaning |", "|---|---|---|"] + rows).joined(separator: "\n")
    }

    /// The exit codes.
    static var markdownExitCodes: String {
        (["| exit code | meaning |", "|---|---|"] + ExitCode.allCases.map { "| \($0.rawValue) | \($0.meaning) |" })
            .joined(separator: "\n")
    }

    private static func shape(_ option: OptionSpec) -> String {
        "`\(option.name)\(option.valueName.map { " \($0)" } ?? "")`"
    }
}
