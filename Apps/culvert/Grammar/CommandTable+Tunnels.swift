extension CommandSpec {
    static let tunnels = CommandSpec(
        path: ["tunnels"], summary: "See and change the tunnels of your organization.",
        discussion: """
            A tunnel is given by its name or its id. Deleting stops a tunnel at once and keeps
            its name for 24 hours, in which it can be restored.
            """)

    static let tunnelCommands: [CommandSpec] = [
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
                secretFile,
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
            arguments: ["NAME-OR-ID"], options: [secretFile], examples: ["culvert tunnels rotate-secret my-agent"]),
    ]

    static let signCSR = CommandSpec(
        path: ["sign-csr"], summary: "Have a certificate signed for a passthrough tunnel.",
        discussion: """
            Without --csr-file a key is made (EC P-256) and kept as HOST.key, which only you
            can read; a key that is there already is used again. The certificate and its
            chain go to HOST.crt beside it.

            With --csr-file the request is your own (PEM; - is standard input), and the
            certificate and its chain are printed, or go to HOST.crt with --out.
            """,
        arguments: ["NAME-OR-ID"],
        options: [
            .value("--csr-file", "FILE", "send this request instead of making one"),
            .value("--out", "DIR", "where the files go; this folder otherwise"),
        ],
        examples: ["culvert sign-csr my-agent --out certs", "culvert sign-csr my-agent --csr-file my-agent.csr"])
}
