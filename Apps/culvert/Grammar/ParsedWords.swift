internal import TunnelProfile

/// A command line sorted into a command, its arguments and its options, each checked against the command's table.
struct ParsedWords: Sendable {
    var command: CommandSpec
    var arguments: [String] = []
    private(set) var values: [String: String] = [:]
    private(set) var lists: [String: [String]] = [:]
    private(set) var flags: Set<String> = []

    /// Sorts the words after the program's name; values that only the environment gives are filled in.
    ///
    /// - Throws: `UsageError` with a message that never repeats the value of an option, which might be a secret.
    init(_ words: [String], environment: [String: String] = [:]) throws(UsageError) {
        let path = Self.commandPath(words)
        guard let command = CommandSpec.named(path.words) else { throw UsageError(message: "no such command") }
        self.command = command
        var rest = words
        for index in path.indices.reversed() { rest.remove(at: index) }
        try sort(rest)
        fillIn(from: environment)
        guard !flags.contains("--help"), !flags.contains("--version") else { return }
        try checkArguments()
    }

    func value(_ name: String) -> String? { values[name] }
    /// Every value of an option that may be given several times.
    func all(_ name: String) -> [String] { lists[name] ?? [] }
    /// Gives an option a value where it has none.
    mutating func fillIn(_ name: String, _ value: String) { values[name] = values[name] ?? value }
    func has(_ flag: String) -> Bool { flags.contains(flag) }
}

extension ParsedWords {
    /// The longest command that the first words without dashes name, and where these words are.
    private static func commandPath(_ words: [String]) -> (words: [String], indices: [Int]) {
        var path: [String] = []
        var indices: [Int] = []
        var skipsValue = false
        for (index, word) in words.enumerated() {
            if skipsValue {
                skipsValue = false
            } else if word == "--" {
                break
            } else if word.hasPrefix("-"), word != "-" {
                skipsValue = CommandSpec.sharedOptions.contains { $0.name == word && $0.valueName != nil }
            } else {
                guard CommandSpec.named(path + [word]) != nil else { break }
                path.append(word)
                indices.append(index)
            }
        }
        return (path, indices)
    }

    private mutating func sort(_ words: [String]) throws(UsageError) {
        var words = words[...]
        while let word = words.popFirst() {
            if word == "--" {
                arguments.append(contentsOf: words)
                return
            }
            guard word.hasPrefix("-"), word != "-" else {
                arguments.append(word)
                continue
            }
            try takeOption(word, &words)
        }
    }

    private mutating func takeOption(_ word: String, _ rest: inout ArraySlice<String>) throws(UsageError) {
        let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let name = Self.longName(String(parts[0]))
        guard let option = command.allOptions.first(where: { $0.name == name }) else { throw unknownOption(name) }
        guard values[name] == nil, !flags.contains(name) else { throw failure("\(name) is given twice") }
        guard let valueName = option.valueName else {
            guard parts.count == 1 else { throw failure("\(name) takes no value") }
            flags.insert(name)
            return
        }
        let given: String
        if parts.count == 2 {
            given = String(parts[1])
        } else if let value = rest.first, value == "-" || !value.hasPrefix("--") {
            rest.removeFirst()
            given = value
        } else {
            throw failure("\(name) needs a value: \(name) \(valueName)")
        }
        if given.isEmpty { throw failure("the value of \(name) is empty") }
        if option.isRepeatable { lists[name, default: []].append(given) } else { values[name] = given }
    }

    private static func longName(_ name: String) -> String {
        switch name {
        case "-h": "--help"
        case "-V": "--version"
        default: name
        }
    }

    private mutating func fillIn(from environment: [String: String]) {
        for option in command.allOptions where values[option.name] == nil {
            guard let variable = option.environment, let value = environment[variable], !value.isEmpty else { continue }
            values[option.name] = value
        }
    }

    private func checkArguments() throws(UsageError) {
        if command.isFamily {
            guard let word = arguments.first else { throw failure("a command is missing") }
            let children = CommandSpec.children(of: command.path).compactMap(\.path.last)
            throw failure("there is no command \"\(Self.shown(word))\"" + Self.suggestion(for: word, among: children))
        }
        guard arguments.count >= command.requiredArgumentCount else {
            throw failure("\(command.arguments[arguments.count]) is missing")
        }
        guard arguments.count <= command.arguments.count else {
            throw failure("\"\(Self.shown(arguments[command.arguments.count]))\" is one argument too many")
        }
    }

    private func unknownOption(_ name: String) -> UsageError {
        if ["--api-key", "--key", "--secret", "--token", "--password"].contains(name) {
            return failure(
                "\(name) does not exist: other users could read a secret from the command line. Put it into a file and give "
                    + "--api-key-file FILE")
        }
        return failure(
            "there is no option \(Self.shown(name))" + Self.suggestion(for: name, among: command.allOptions.map(\.name)))
    }

    private func failure(_ message: String) -> UsageError { UsageError(message: message, command: command.path) }

    /// A word of the command line, fit to be printed.
    private static func shown(_ word: String) -> String { Printable.text(word, characterCountMax: 60) }

    private static func suggestion(for word: String, among candidates: [String]) -> String {
        let best = candidates.map { (name: $0, distance: EditDistance.between($0, word)) }.min { $0.distance < $1.distance }
        guard let best, best.distance <= 2 else { return "" }
        return "; did you mean \(best.name)?"
    }
}

/// How many letters must change to make one word of another (Levenshtein).
enum EditDistance {
    static func between(_ left: String, _ right: String) -> Int {
        let right = Array(right.utf8)
        var row = Array(0...right.count)
        for (index, letter) in left.utf8.enumerated() {
            var diagonal = row[0]
            row[0] = index + 1
            for column in right.indices {
                let cost = right[column] == letter ? diagonal : 1 + min(diagonal, row[column], row[column + 1])
                diagonal = row[column + 1]
                row[column + 1] = cost
            }
        }
        return row[right.count]
    }
}
