/// The commands that serve.
extension CommandSpec {
    private static let edge = OptionSpec.value(
        "--edge", "ADDR:PORT", "where agents connect, if not where the server says", environment: "CULVERT_EDGE")
    private static let urlFile = OptionSpec.value(
        "--url-file", "FILE", "write the public URL into FILE once it is up; removed at the end")
    private static let shared = OptionSpec.flag(
        "--shared", "serve beside other agents that have it too, instead of taking over")
    private static let allowFrom = OptionSpec.list(
        "--allow-from", "RANGE", "answer this address or range only (192.0.2.0/24); may be repeated")
    private static let requestRules: [OptionSpec] = [
        .value("--host-header", "VALUE", "the Host that TARGET sees: rewrite (its own; default), preserve, or VALUE"),
        .list("--request-header", "'NAME: VALUE'", "add a header to requests; may be repeated"),
        .list("--remove-request-header", "NAME", "take a header out of requests; may be repeated"),
        .list("--response-header", "'NAME: VALUE'", "add a header to responses; may be repeated"),
        .list("--remove-response-header", "NAME", "take a header out of responses; may be repeated"),
        allowFrom,
        .value("--basic-auth-file", "FILE", "ask for a name and password of FILE (HTTP Basic)"),
    ]
    private static let loudness: [OptionSpec] = [
        .flag("--quiet", "tell on standard error only what is wrong"),
        .flag("--verbose", "tell attempts to connect and request ids as well"),
    ]

    static let http = CommandSpec(
        path: ["http"], summary: "Bring a local HTTP server up under a public name.",
        discussion: """
            TARGET is a port of this machine (3000), a URL (http://127.0.0.1:3000/app), or a
            Unix socket (unix:/run/app.sock). A program that speaks HTTP/2 without TLS, such
            as a gRPC server, is h2c://127.0.0.1:50051 or grpc://127.0.0.1:50051, on a Unix
            socket h2c+unix:/run/app.sock. The tunnel is created the first time and used
            again afterwards. Without --name a pronounceable name is made up and remembered
            for this target, so that the URL stays the same the next time. With the key of
            one identity it is that identity's tunnel that is served.

            The public URL is the first line on standard output; then each request gets one
            line on standard error. With --json every event is one line of JSON on standard
            output. Ctrl-C lets the requests under way finish and exits 0; a second Ctrl-C
            ends at once with 130.

            Requests go to TARGET and nowhere else. A target on another machine is refused
            unless --allow-remote is given. A path of TARGET is put before every request's.

            A file for --basic-auth-file has one NAME:PASSWORD a line, or sha256: and the
            digest that "printf %s 'NAME:PASSWORD' | sha256sum" prints.

            One agent serves a tunnel at a time: the one that was started last takes over. With
            --shared several do, on one machine or many, as long as every one is started with
            it. Each request goes to the one that stands ready for most. An agent that is
            stopped finishes what it has; the others get the rest.
            """,
        arguments: ["TARGET"],
        options: [
            .value("--name", "NAME", "the tunnel's name: 3 to 63 of a-z, 0-9 and -"),
            .value("--pool-size", "N", "requests to stand ready for, 1 to 32; the server's default otherwise"),
            shared, .flag("--allow-remote", "let TARGET be on another machine"),
        ] + requestRules + [urlFile, edge] + loudness,
        examples: [
            "culvert http 3000", "culvert http 3000 --name my-agent", "culvert http http://127.0.0.1:8000 --json",
            "culvert http unix:/run/app.sock --host-header app.internal",
            "culvert http grpc://127.0.0.1:50051 --name my-calls", "culvert http 3000 --basic-auth-file passwords",
            "culvert http 3000 --name my-agent --shared",
        ])

    static let tls = CommandSpec(
        path: ["tls"], summary: "Bring a local server up under a public name, with TLS ending on this machine.",
        discussion: """
            The server carries the TLS connections of third parties as they are: it cannot read
            them. TLS ends here. The private key is made on this machine (EC P-256) and never
            leaves it; the server signs the certificate. Both are kept beside the connect
            secret, in files that only you can read, and the certificate is renewed while the
            agent runs: new connections get the new one, open ones go on.

            With TARGET, a port of this machine (3000) or a URL (http://127.0.0.1:3000), this
            program ends TLS (HTTP/1.1 and HTTP/2) and TARGET answers the requests, as with
            "culvert http". With --tls-passthrough-to the connections go byte by byte to a
            TLS server of your own; its certificate is "culvert sign-csr"'s business, and of
            the rules only --allow-from can be kept: others are told by a TLS alert.

            Names, output, --json, --shared and Ctrl-C are those of "culvert http".
            """,
        arguments: ["[TARGET]"],
        options: [
            .value("--tls-passthrough-to", "HOST:PORT", "hand connections to this local TLS server as they are"),
            .value("--name", "NAME", "the tunnel's name: 3 to 63 of a-z, 0-9 and -"),
            .value("--pool-size", "N", "connections to stand ready for, 1 to 32; the server's default otherwise"),
            shared, .flag("--allow-remote", "let the local server be on another machine"),
        ] + requestRules + [urlFile, edge] + loudness,
        examples: [
            "culvert tls 3000 --name my-agent", "culvert tls --tls-passthrough-to 127.0.0.1:8443 --name my-agent",
        ])

    static let run = CommandSpec(
        path: ["run"], summary: "Bring every route of a file up, until it is stopped.",
        discussion: """
            FILE is JSON: "routes", each with a "name" and a "target", and what "culvert http"
            takes as options. Docs/culvert-run.schema.json describes all of it.

              {"routes": [{"name": "my-agent", "target": 3000},
                          {"name": "docs", "target": "unix:/run/docs.sock"}]}

            SIGHUP reads the file again: routes are added, removed and changed without a
            reset of the requests and WebSockets under way; a file that cannot be used
            changes nothing. Each URL is a line "NAME URL" on standard output. Started by
            systemd with Type=notify, it says when all routes are up.
            """,
        arguments: ["FILE"], options: [urlFile, edge] + loudness,
        examples: ["culvert run routes.json", "culvert run routes.json --json --url-file urls.txt"])

    static let check = CommandSpec(
        path: ["check"], summary: "Say whether a file for \"culvert run\" can be used, and every mistake in it.",
        discussion: "Asks no server. Every mistake is told with its line and column; the exit code is then 2.",
        arguments: ["FILE"], examples: ["culvert check routes.json"])
}
