internal import TunnelProfile

/// `culvert completions SHELL`: a script that offers commands, options and files, made from the table of commands.
struct Completions {
    enum Shell: String, CaseIterable { case bash, zsh, fish }

    private let shell: Shell

    init(shell text: String) throws(Complaint) {
        guard let shell = Shell(rawValue: text) else {
            throw Complaint(
                "there are no completions for \"\(Printable.text(text))\"",
                advice: "There are for \(Shell.allCases.map(\.rawValue).joined(separator: ", ")).", exitCode: .usage)
        }
        self.shell = shell
    }

    func print(to console: Console) { console.print(script, terminator: "") }

    var script: String {
        switch shell {
        case .bash: Self.bash
        case .zsh: Self.zsh
        case .fish: Self.fish
        }
    }
}

// MARK: - What there is to complete

extension Completions {
    /// `tunnels list`, and what may follow it: the commands below, or the options.
    private static func words(after command: CommandSpec) -> [String] {
        command.isFamily
            ? CommandSpec.children(of: command.path).compactMap(\.path.last)
            : command.allOptions.map(\.name) + (command.path == ["completions"] ? Shell.allCases.map(\.rawValue) : [])
    }

    private static var options: [OptionSpec] {
        var seen: Set<String> = []
        return CommandSpec.all.flatMap(\.allOptions).filter { seen.insert($0.name).inserted }
    }

    /// Options whose value is a file or a folder.
    private static var fileOptions: [String] {
        options.filter { $0.valueName == "FILE" || $0.valueName == "DIR" }.map(\.name)
    }

    private static var otherValueOptions: [String] {
        options.filter { $0.valueName != nil && !fileOptions.contains($0.name) }.map(\.name)
    }
}

// MARK: - bash and zsh

extension Completions {
    /// One `case` for each command; the command is found by skipping options and their values.
    private static var bash: String {
        let cases = CommandSpec.all.map { command in
            let pattern = command.path.isEmpty ? "\"\"" : "\"\(command.path.joined(separator: " "))\""
            return "        \(pattern)) words=\"\(words(after: command).joined(separator: " "))\" ;;"
        }
        let families = CommandSpec.all.filter { $0.isFamily && !$0.path.isEmpty }.map { "\"\($0.name.dropFirst(8))\"" }
        return """
            # Completions of culvert for bash: put this file into ~/.local/share/bash-completion/completions/culvert
            _culvert() {
                local current="${COMP_WORDS[COMP_CWORD]}" previous="${COMP_WORDS[COMP_CWORD-1]}" path="" words="" index word
                case "$previous" in
                    \(fileOptions.joined(separator: "|"))) COMPREPLY=($(compgen -f -- "$current")); return ;;
                    \(otherValueOptions.joined(separator: "|"))) COMPREPLY=(); return ;;
                esac
                for ((index = 1; index < COMP_CWORD; index++)); do
                    word="${COMP_WORDS[index]}"
                    case "$word" in
                        \((fileOptions + otherValueOptions).joined(separator: "|"))) ((index++)) ;;
                        -*) ;;
                        *)
                            case "$path" in
                                "") path="$word" ;;
                                \(families.joined(separator: "|"))) path="$path $word" ;;
                            esac ;;
                    esac
                done
                case "$path" in
            \(cases.joined(separator: "\n"))
                esac
                COMPREPLY=($(compgen -W "$words" -- "$current"))
            }
            complete -F _culvert culvert

            """
    }

    /// zsh runs the bash script, which it can. The file is read when the first completion is asked for: its last line gives it.
    private static var zsh: String {
        """
        #compdef culvert
        # Completions of culvert for zsh: put this file into a folder of $fpath as _culvert
        autoload -Uz bashcompinit && bashcompinit
        \(bash.replacing("_culvert", with: "_culvert_words"))
        [[ -z "${compstate[context]}" ]] || _bash_complete -F _culvert_words

        """
    }
}

// MARK: - fish

extension Completions {
    private static var fish: String {
        var lines = [
            "# Completions of culvert for fish: put this file into ~/.config/fish/completions/culvert.fish",
            "complete -c culvert -f",
        ]
        for command in CommandSpec.all where !command.path.isEmpty {
            let word = "-a \(command.path.last ?? "") -d \(quoted(command.summary))"
            lines.append("complete -c culvert -n '\(condition(before: command))' \(word)")
        }
        for command in CommandSpec.all where !command.isFamily {
            for option in command.allOptions { lines.append(line(for: option, of: command)) }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func condition(before command: CommandSpec) -> String {
        guard let family = command.path.dropLast().last else { return "__fish_use_subcommand" }
        let siblings = CommandSpec.children(of: [family]).compactMap(\.path.last)
        return "__fish_seen_subcommand_from \(family); and not __fish_seen_subcommand_from \(siblings.joined(separator: " "))"
    }

    private static func line(for option: OptionSpec, of command: CommandSpec) -> String {
        let condition = command.path.map { "__fish_seen_subcommand_from \($0)" }.joined(separator: "; and ")
        let value = option.valueName.map { $0 == "FILE" || $0 == "DIR" ? " -r -F" : " -x" } ?? ""
        return "complete -c culvert -n '\(condition)' -l \(option.name.dropFirst(2))\(value) -d \(quoted(option.help))"
    }

    private static func quoted(_ text: String) -> String {
        "'" + text.map { $0 == "'" ? "\\'" : String($0) }.joined() + "'"
    }
}
