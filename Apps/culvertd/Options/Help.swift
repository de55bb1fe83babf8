/// What `--help` prints; the settings come from their table, so that nothing is told twice.
enum Help {
    static func text(_ topic: Command.HelpTopic) -> String {
        switch topic {
        case .all: overview
        case .initialize: initialize
        case .serve: serve
        case .openapi: openapi
        case .audit: audit
        }
    }

    private static let overview = """
        culvertd gives local programs public names: agents connect to it, and it hands them the requests of third parties.

        Usage:
          culvertd init --data-dir DIRECTORY --zone ZONE [--json] [--add-organization]
          culvertd serve --data-dir DIRECTORY [--https ADDRESS:PORT]… [--http ADDRESS:PORT]… [settings]
          culvertd openapi
          culvertd audit verify|export --data-dir DIRECTORY
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
          culvertd init --data-dir DIRECTORY --zone ZONE [--ca-passphrase-file FILE] [--json]
          culvertd init --data-dir DIRECTORY --add-organization [--json]
          culvertd init --data-dir DIRECTORY --add-admin-key ORGANIZATION [--scope SCOPE]… [--allow-from RANGE]… [--json]

          --data-dir DIRECTORY  where everything is kept, mode 0700; or CULVERT_DATA_DIR
          --zone ZONE           the domain under which tunnels get their hosts; `localhost` needs no DNS
          --add-organization    one more organization in a directory that is already in use; stop the service first
          --add-admin-key ORGANIZATION
                                one more admin key of it, which the API never makes; stop the service first
          --scope SCOPE         the new key may do this and no more, such as keys:write; repeat for more
          --allow-from RANGE    the new key may be used from there only, such as 192.0.2.0/24; repeat for more
          --ca-passphrase-file FILE
                                encrypt the CA's key with the line in this file, or CULVERT_CA_PASSPHRASE_FILE; every later
                                command that opens the directory needs it too
          --json                print {"organization_id", "api_key", "ca_file"} instead of sentences

        The API key is shown this once and stored only as a hash. Clients trust the service by the file `ca.pem`.
        """

    private static let audit = """
        culvertd audit reads the audit trail from the store's file, beside a running service or without one.

        Usage:
          culvertd audit verify --data-dir DIRECTORY [--noted SEQUENCE:HASH]…
          culvertd audit export --data-dir DIRECTORY [--organization ID] [--since TIME] [--until TIME]

          --data-dir DIRECTORY      what `culvertd init` has made; or CULVERT_DATA_DIR
          --noted SEQUENCE:HASH     what an earlier verification has printed, kept where this machine's users cannot write;
                                    repeat for more
          --organization ID         only the lines of this organization
          --since TIME              the first moment that counts, such as 2026-04-21T12:30:00Z
          --until TIME              the first moment that counts no more

        `verify` names every line that was edited, is missing or has changed its place, and exits with 1 if there is any.
        The sealed head shows a trail that was cut off or written anew, unless by somebody who has sealing.key; places that
        were noted elsewhere show that too, and a whole directory that was put back to an older state.
        `export` prints one JSON object for each line, the oldest first, like the events of GET /api/v1/audit-events.
        """

    private static let openapi = """
        culvertd openapi prints the description of the REST API, an OpenAPI 3.1 document in JSON.

        Usage:
          culvertd openapi

        A running service serves the same text at /api/v1/openapi.json.
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
            case .addresses, .words, .networks, .file: break
            }
            return "| `\(setting.name)` | `\(setting.environmentName)` | \(value) | \(range) | \(setting.purpose) |"
        }
        return (["| setting | environment | default | range | meaning |", "|---|---|---|---|---|"] + rows)
            .joined(separator: "\n")
    }
}
