/// The words behind a command, sorted into flags.
struct Flags: Sendable, Hashable {
    /// Each flag that takes a value, with its values in order.
    var values: [String: [String]] = [:]
    /// The flags that take none.
    var switches: Set<String> = []

    /// Sorts words by what the command knows: `--flag value`, `--flag=value` and `--switch`.
    init(_ words: [String], valued: Set<String>, switches known: Set<String>, command: String) throws(UsageError) {
        var rest = words[...]
        while let word = rest.popFirst() {
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            let flag = parts[0]
            if valued.contains(flag) {
                guard let value = parts.count == 2 ? parts[1] : rest.popFirst(), !value.isEmpty else {
                    throw UsageError("\(flag) needs a value behind it")
                }
                values[flag, default: []].append(value)
            } else if known.contains(flag), parts.count == 1 {
                switches.insert(flag)
            } else if flag.hasPrefix("-") {
                throw UsageError("\(flag) is no flag of `culvertd \(command)`; `culvertd \(command) --help` lists them")
            } else {
                throw UsageError("“\(word)” is one word too many behind `culvertd \(command)`")
            }
        }
    }

    /// The flag's value, or that of the environment; nil when neither is there.
    func single(_ flag: String, or environmentName: String, in environment: [String: String]) throws(UsageError) -> String? {
        try single(flag) ?? environment[environmentName].flatMap { $0.isEmpty ? nil : $0 }
    }

    /// The flag's value, or nil when it is not there.
    func single(_ flag: String) throws(UsageError) -> String? {
        let given = values[flag] ?? []
        guard given.count <= 1 else { throw UsageError("\(flag) is given \(given.count) times; give it once") }
        return given.first
    }

    /// The data directory, which every command needs.
    func dataDirectory(in environment: [String: String]) throws(UsageError) -> String {
        guard var path = try single("--data-dir", or: "CULVERT_DATA_DIR", in: environment) else {
            throw UsageError("no data directory is named; give --data-dir DIRECTORY or set CULVERT_DATA_DIR")
        }
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        return path
    }
}
