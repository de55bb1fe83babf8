extension CommandSpec {
    /// Every command there is.
    static let all: [CommandSpec] =
        [root, login, http, tls, run, check, whoami, tunnels] + tunnelCommands + [signCSR, identities] + identityCommands + [
            keys
        ]
        + keyCommands
        + [apps] + appCommands + [webhooks] + webhookCommands + [events, audit, auditList, rpc, rpcInstall, completions]

    /// What the server shows once goes into a file instead of to standard output.
    static let secretFile = OptionSpec.value(
        "--secret-file", "FILE", "write the secret into FILE, which only you can read, and do not print it")

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

            A key of one identity works too: then "culvert http" serves that identity's
            tunnel. If its rotation secret is on the second line of the key's file, or in a
            file of its own, it is kept as well and "culvert keys rotate" can use it.
            """,
        options: [
            .value("--rotation-secret-file", "FILE", "read the rotation secret that came with the key from FILE"),
            .value(
                "--edge", "ADDR:PORT", "where agents connect, if not where the server says", environment: "CULVERT_EDGE"),
        ],
        examples: [
            "culvert login --server https://tunnels.example --api-key-file key.txt",
            "pass show culvert | culvert login --server https://tunnels.example --api-key-file -",
            "culvert login --server http://127.0.0.1:8080 --api-key-file key.txt --ca-file ca.pem",
        ])
}
