extension CommandSpec {
    /// Every command there is.
    static let all: [CommandSpec] = [root, login, http, tunnels] + tunnelCommands

    static let root = CommandSpec(
        path: [], summary: "Give a local program a public name.",
        discussion: """
            First log in to a Culvert server, once; then bring a local port up:

              culvert login --server https://tunnels.example --api-key-file key.txt
              culvert http 3000

            The public URL is printed first. Everything that reaches it is answered by the
            program that listens on port 3000 of this machine.
            """,
        options: [.flag("--version", "print the version")])

    private static let login = CommandSpec(
        path: ["login"], summary: "Remember a server and an API key.",
        discussion: """
            Checks that the server accepts the key, then keeps both in
            ~/.config/culvert/config.json (under XDG_CONFIG_HOME if that is set), which only
            you can read. The key is never taken from the command line, where other users and
            the shell's history would see it: put it into a file, or pipe it in with "-".
            """,
        options: [
            .value(
                "--edge", "ADDR:PORT", "where agents connect, if not where the server says", environment: "CULVERT_EDGE")
        ],
        examples: [
            "culvert login --server https://tunnels.example --api-key-file key.txt",
            "pass show culvert | culvert login --server https://tunnels.example --api-key-file -",
            "culvert login --server http://127.0.0.1:8080 --api-key-file key.txt --ca-file ca.pem",
        ])

    private static let http = CommandSpec(
        path: ["http"], summary: "Bring a local HTTP server up under a public name.",
        discussion: """
            TARGET is a port of this machine (3000) or a URL (http://127.0.0.1:3000). The
            tunnel is created the first time and used again afterwards. Without --name a
            pronounceable name is made up and remembered for this target, so that the URL
            stays the same the next time.

            The public URL is the first line on standard output; then each request gets one
            line on standard error. With --json every event is one line of JSON on standard
            output. Ctrl-C lets the requests under way finish and exits 0; a second Ctrl-C
            ends at once with 130.

            Requests go to TARGET and nowhere else. A target on another machine is refused
            unless --allow-remote is given.
            """,
        arguments: ["TARGET"],
        options: [
            .value("--name", "NAME", "the tunnel's name: 3 to 63 of a-z, 0-9 and -"),
            .value("--pool-size", "N", "requests to stand ready for, 1 to 32; the server's default otherwise"),
            .flag("--allow-remote", "let TARGET be on another machine"),
            .value(
                "--edge", "ADDR:PORT", "where agents connect, if not where the server says", environment: "CULVERT_EDGE"),
        ],
        examples: ["culvert http 3000", "culvert http 3000 --name my-agent", "culvert http http://127.0.0.1:8000 --json"])

    private static let tunnels = CommandSpec(
        path: ["tunnels"], summary: "See and change the tunnels of your organization.",
        discussion: """
            A tunnel is given by its name or its id. Deleting stops a tunnel at once and keeps
            its name for 24 hours, in which it can be restored.
            """)

    private static let tunnelCommands: [CommandSpec] = [
        CommandSpec(
            path: ["tunnels", "list"], summary: "List every tunnel, newest first.",
            examples: ["culvert tunnels list", "culvert tunnels list --json"]),
        CommandSpec(
            path: ["tunnels", "get"], summary: "Show one tunnel.", arguments: ["NAME-OR-ID"],
            examples: ["culvert tunnels get my-agent"]),
        CommandSpec(
            path: ["tunnels", "create"], summary: "Create a tunnel and print its connect secret.",
            discussion: """
                The connect secret is what an agent proves itself with. The server shows it this
                once; it is also kept in a file of this machine that only you can read, where
                "culvert http" finds it.
                """,
            arguments: ["NAME"],
            options: [
                .value("--description", "TEXT", "up to 1,000 characters for your own use"),
                .value("--tls-mode", "MODE", "edge: the server ends TLS (default); passthrough: the agent does"),
            ],
            examples: ["culvert tunnels create my-agent --description 'webhook receiver'"]),
        CommandSpec(
            path: ["tunnels", "update"], summary: "Change a tunnel's description or metadata.",
            discussion: "What is not named stays as it is. Name and TLS mode cannot be changed.",
            arguments: ["NAME-OR-ID"],
            options: [
                .value("--description", "TEXT", "up to 1,000 characters for your own use"),
                .flag("--clear-description", "remove the description"),
                .value("--metadata", "JSON", "a JSON object of up to 4 KiB for your own use"),
                .flag("--clear-metadata", "empty the metadata"),
            ],
            examples: [#"culvert tunnels update my-agent --metadata '{"team": "ops"}'"#]),
        CommandSpec(
            path: ["tunnels", "delete"], summary: "Stop a tunnel now and delete it in 24 hours.",
            discussion: "Until then \"culvert tunnels restore\" brings it back.", arguments: ["NAME-OR-ID"],
            examples: ["culvert tunnels delete my-agent"]),
        CommandSpec(
            path: ["tunnels", "restore"], summary: "Bring a deleted tunnel back.", arguments: ["NAME-OR-ID"],
            examples: ["culvert tunnels restore my-agent"]),
        CommandSpec(
            path: ["tunnels", "force-delete"], summary: "Finish a deletion now and free the name.",
            discussion: "This cannot be undone. The tunnel must have been deleted before.", arguments: ["NAME-OR-ID"],
            examples: ["culvert tunnels delete my-agent && culvert tunnels force-delete my-agent"]),
        CommandSpec(
            path: ["tunnels", "rotate-secret"], summary: "Replace a tunnel's connect secret and print the new one.",
            discussion: """
                Connected agents stay connected; the old secret is refused when they next connect.
                The new secret is also kept where "culvert http" finds it.
                """,
            arguments: ["NAME-OR-ID"], examples: ["culvert tunnels rotate-secret my-agent"]),
    ]
}
