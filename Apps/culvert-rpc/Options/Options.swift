internal import TunnelProfile

/// A command line that cannot be understood.
struct UsageError: Error, Hashable {
    var message: String

    init(_ message: String) { self.message = message }
}

/// What a model may do through tools; each level includes the ones before it.
enum AllowedLevel: String, Sendable, CaseIterable, Comparable {
    case read, operate, destroy

    static func < (left: AllowedLevel, right: AllowedLevel) -> Bool {
        allCases.firstIndex(of: left) ?? 0 < allCases.firstIndex(of: right) ?? 0
    }
}

/// The command line of `culvert-rpc`.
struct Options: Sendable, Hashable {
    enum Action: Sendable, Hashable { case serve, help, version }

    var action = Action.serve
    /// Speak the Model Context Protocol only.
    var isMCPOnly = false
    var allowed = AllowedLevel.read
    var confirmation = ConfirmationMode.auto
    var server: String?
    var apiKeyFile: String?
    var caFile: String?
    var edge: String?
    /// Where other programs say what has happened; nil opens no such place.
    var notifySocket: String?
    var limits = Limits()

    /// Reads the words after the program's name; what they leave open, the environment may say.
    init(_ words: [String], environment: [String: String] = [:]) throws(UsageError) {
        var words = words[...]
        while let word = words.popFirst() {
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            switch parts[0] {
            case "--help", "-h": action = .help
            case "--version", "-V": action = .version
            case "--mcp": isMCPOnly = true
            case "--allow", "--confirm", "--server", "--api-key-file", "--ca-file", "--edge", "--notify-socket", "--limit":
                guard let value = parts.count == 2 ? parts[1] : words.popFirst(), !value.isEmpty else {
                    throw UsageError("\(parts[0]) needs a value")
                }
                try take(parts[0], value)
            case "--api-key", "--key", "--secret", "--token", "--password":
                throw UsageError(
                    "\(parts[0]) does not exist: other users could read a secret from the command line. Put it into a file and "
                        + "give --api-key-file FILE")
            default: throw UsageError("there is no option \(Printable.text(parts[0], characterCountMax: 60))")
            }
        }
        server = server ?? environment["CULVERT_SERVER"]
        apiKeyFile = apiKeyFile ?? environment["CULVERT_API_KEY_FILE"]
        caFile = caFile ?? environment["CULVERT_CA_FILE"]
        edge = edge ?? environment["CULVERT_EDGE"]
    }

    private mutating func take(_ name: String, _ value: String) throws(UsageError) {
        switch name {
        case "--allow":
            guard let level = AllowedLevel(rawValue: value) else { throw UsageError("--allow is read, operate or destroy") }
            allowed = level
        case "--confirm":
            guard let mode = ConfirmationMode(rawValue: value) else { throw UsageError("--confirm is auto, ask or token") }
            confirmation = mode
        case "--server": server = value
        case "--api-key-file":
            guard value != "-" else { throw UsageError("standard input carries the protocol; give the key in a file") }
            apiKeyFile = value
        case "--ca-file": caFile = value
        case "--edge": edge = value
        case "--notify-socket": notifySocket = value
        default: try limits.set(value)
        }
    }

    /// What is said of the server and its key.
    var choices: Profile.Choices {
        Profile.Choices(server: server, apiKeyFile: apiKeyFile, caFile: caFile, edge: edge)
    }

    static let help = """
        Speaks JSON-RPC 2.0 on standard input and output, for editors, scripts and AI agents.

        Usage: culvert-rpc [OPTIONS]

        Messages come one on each line, or with Content-Length headers as the Language Server
        Protocol has them; the first bytes tell. "rpc.discover" describes every method. A client
        of the Model Context Protocol gets tools instead, those that only read unless --allow
        says more. Server and API key are those of "culvert login", or of the options.

        Options:
          --mcp                speak the Model Context Protocol only
          --allow LEVEL        what tools may do: read (default), operate, destroy
          --confirm MODE       how destructive tools are confirmed: auto (default) asks the user where
                               the client can, and wants a token from a plan elsewhere; ask does
                               nothing destructive where the client cannot ask; token never asks
          --server URL         the server to talk to, instead of the one logged in to
          --api-key-file FILE  read the API key from FILE
          --ca-file FILE       trust the authorities in this PEM file instead of the system's
          --edge ADDR:PORT     where agents connect, if not where the server says
          --notify-socket PATH make a Unix socket there, on which other programs of yours tell the
                               client what has happened, one JSON-RPC notification on each line
          --limit NAME=VALUE   change a limit; may be given several times
          --help               explain this
          --version            print the version

        Limits:
        \(Limits.Name.allCases.map { "  \($0.rawValue)=\($0.standard)  \($0.meaning) (\($0.unit))" }.joined(separator: "\n"))

        Exit codes: 0 after the end of input or a signal, 1 when something went wrong, 2 when the
        command line is wrong. Docs/RPC.md is the manual.

        """
}

/// The version of this program.
enum Version {
    static let text = "0.1.0"
}
