/// What the operator wants, read from the words behind `culvertd`.
enum Command: Hashable {
    case help(HelpTopic)
    case version
    case initialize(Flags)
    case serve(Flags)
    case openapi
    case verifyAudit(Flags)
    case exportAudit(Flags)

    enum HelpTopic: Hashable { case all, initialize, serve, openapi, audit }

    init(words: [String]) throws(UsageError) {
        let asksForHelp = words.contains { $0 == "--help" || $0 == "-h" }
        switch words.first {
        case nil: throw UsageError("no command is given; `culvertd --help` lists them all")
        case "--help", "-h", "help": self = .help(.all)
        case "--version", "version": self = .version
        case "init" where asksForHelp: self = .help(.initialize)
        case "serve" where asksForHelp: self = .help(.serve)
        case "openapi" where asksForHelp: self = .help(.openapi)
        case "audit" where asksForHelp: self = .help(.audit)
        case "init":
            self = .initialize(
                try Flags(
                    Array(words.dropFirst()),
                    valued: [
                        "--data-dir", "--zone", "--add-admin-key", "--scope", "--allow-from",
                        Setting.authorityPassphraseFile.flag,
                    ],
                    switches: ["--json", "--add-organization"],
                    command: "init"))
        case "serve":
            let valued = Set(Setting.all.map { $0.flag }).union(["--data-dir", "--config"])
            self = .serve(try Flags(Array(words.dropFirst()), valued: valued, switches: [], command: "serve"))
        case "openapi":
            _ = try Flags(Array(words.dropFirst()), valued: [], switches: [], command: "openapi")
            self = .openapi
        case "audit": self = try Self.audit(Array(words.dropFirst()))
        case let word?: throw UsageError("“\(word)” is no command; `culvertd --help` lists them all")
        }
    }

    private static func audit(_ words: [String]) throws(UsageError) -> Command {
        let rest = Array(words.dropFirst())
        switch words.first {
        case "verify":
            return .verifyAudit(try Flags(rest, valued: ["--data-dir", "--noted"], switches: [], command: "audit verify"))
        case "export":
            let valued: Set = ["--data-dir", "--since", "--until", "--organization"]
            return .exportAudit(try Flags(rest, valued: valued, switches: [], command: "audit export"))
        case let word?: throw UsageError("“audit \(word)” is no command; `culvertd audit --help` lists them")
        case nil: throw UsageError("say what to do with the audit trail; `culvertd audit --help` lists it")
        }
    }
}
