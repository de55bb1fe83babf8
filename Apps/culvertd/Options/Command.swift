/// What the operator wants, read from the words behind `culvertd`.
enum Command: Hashable {
    case help(HelpTopic)
    case version
    case initialize(Flags)
    case serve(Flags)

    enum HelpTopic: Hashable { case all, initialize, serve }

    init(words: [String]) throws(UsageError) {
        let asksForHelp = words.contains { $0 == "--help" || $0 == "-h" }
        switch words.first {
        case nil: throw UsageError("no command is given; it is `culvertd init` or `culvertd serve`")
        case "--help", "-h", "help": self = .help(.all)
        case "--version", "version": self = .version
        case "init" where asksForHelp: self = .help(.initialize)
        case "serve" where asksForHelp: self = .help(.serve)
        case "init":
            self = .initialize(
                try Flags(
                    Array(words.dropFirst()), valued: ["--data-dir", "--zone"], switches: ["--json", "--add-organization"],
                    command: "init"))
        case "serve":
            let valued = Set(Setting.all.map { $0.flag }).union(["--data-dir", "--config"])
            self = .serve(try Flags(Array(words.dropFirst()), valued: valued, switches: [], command: "serve"))
        case let word?: throw UsageError("“\(word)” is no command; it is `culvertd init` or `culvertd serve`")
        }
    }
}
