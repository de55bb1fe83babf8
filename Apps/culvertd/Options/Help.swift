/// What `--help` prints; the settings come from their table, so that nothing is told twice.
enum Help {
    static func text(_ topic: Command.HelpTopic) -> String {
        switch topic {
        case .all: overview
        case .initialize: initialize
        case .serve: serve
        }
    }

    private static let overview = """
        culvertd gives local programs public names: agents connect to it, and it hands them the requests of third parties.

        Usage:
          culvertd init --data-dir DIRECTORY --zone ZONE [--json] [--add-organization]
          culvertd serve --data-dir DIRECTORY [--https ADDRESS:PORT]… [--http ADDRESS:PORT]… [settings]
          culvertd --version

        First steps on one machine, without DNS and without root:
          culvertd init --data-dir ~/.local/state/culvertd --zone localhost
          culvertd serve --data-dir ~/.local/state/culvertd
          curl http://localhost:8080/readyz

        `culvertd init --help` and `culvertd serve --help` tell more.

        Exit codes:
        \(ExitCode.allCases.map { "  \($0.rawValue)  \($0.meaning)" }.joined(separator: "\n"))
        """

    private static let initialize = """
        culvertd init makes a data directory: the store, a certificate authority for the zone, and an organization with its key.

        Usage:
          culvertd init --data-dir DIRECTORY --zone ZONE [--json]
          culvertd init --data-dir DIRECTORY --add-organization [--json]

          --data-dir DIRECTORY  where everything is kept, mode 0700; or CULVERT_DATA_DIR
          --zone ZONE           the domain under which tunnels get their hosts; `localhost` needs no DNS
          --add-organization    one more organization in a directory that is already in use; stop the service first
          --json                print {"organization_id", "api_key", "ca_file"} instead of sentences

        The API key is shown this once and stored only as a hash. Clients trust the service by the file `ca.pem`.
        """

    private static var serve: String {
        """
        culvertd serve runs the service until it gets SIGTERM or SIGINT; it then drains and exits, at once on a second signal.

        Usage:
          culvertd serve --data-dir DIRECTORY [--config FILE] [settings]

          --data-dir DIRECTORY  what `culvertd init` has made; or CULVERT_DATA_DIR
          --config FILE         the configuration file; or CULVERT_CONFIG; else \(ConfigurationFile.name) in the data directory

        Settings. A flag counts before its variable, which counts before the file's member. With neither https nor http set,
        the service listens at the defaults of both.

        \(Setting.all.map(lines).joined(separator: "\n"))
        """
    }

    private static func lines(_ setting: Setting) -> String {
        let value = setting.defaults.isEmpty ? "none" : setting.defaults.joined(separator: ", ")
        var range = ""
        if case .integer(_, let bounds) = setting.kind { range = ", \(bounds.lowerBound)…\(bounds.upperBound)" }
        return """
              \(setting.flag) \(setting.placeholder)
                  \(setting.purpose) (default \(value)\(range); \(setting.environmentName); "\(setting.name)")
            """
    }

    /// The table of Docs/Operations.md.
    static var markdownTable: String {
        let rows = Setting.all.map { setting in
            let value = setting.defaults.isEmpty ? "" : "`\(setting.defaults.joined(separator: ", "))`"
            var range = ""
            switch setting.kind {
            case .integer(_, let bounds): range = "\(bounds.lowerBound)…\(bounds.upperBound)"
            case .choice(_, let choices): range = choices.joined(separator: ", ")
            case .addresses, .words: break
            }
            return "| `\(setting.name)` | `\(setting.environmentName)` | \(value) | \(range) | \(setting.purpose) |"
        }
        return (["| setting | environment | default | range | meaning |", "|---|---|---|---|---|"] + rows)
            .joined(separator: "\n")
    }
}
