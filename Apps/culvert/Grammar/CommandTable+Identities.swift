extension CommandSpec {
    static let whoami = CommandSpec(
        path: ["whoami"], summary: "Show who the server takes this API key for.",
        examples: ["culvert whoami", "culvert whoami --json"])

    static let identities = CommandSpec(
        path: ["identities"], summary: "See and change identities: agents, each with a tunnel of its own.",
        discussion: """
            An identity is given by its handle (@ may stand before it) or its id. The handle
            is the name of its tunnel, too. Keys for one identity are made with
            "culvert keys create".
            """)

    static let identityCommands: [CommandSpec] = [
        CommandSpec(
            path: ["identities", "list"], summary: "List the identities that this key may see, newest first.",
            examples: ["culvert identities list", "culvert identities list --json"]),
        CommandSpec(
            path: ["identities", "get"], summary: "Show one identity.", arguments: ["HANDLE"],
            examples: ["culvert identities get my-agent"]),
        CommandSpec(
            path: ["identities", "create"], summary: "Create an identity and its tunnel.", arguments: ["HANDLE"],
            options: [
                .value("--display-name", "TEXT", "how people call it"),
                .value("--description", "TEXT", "up to 1,000 characters for your own use"),
                .value("--tls-mode", "MODE", "edge: the server ends TLS (default); passthrough: the agent does"),
            ],
            examples: ["culvert identities create my-agent --display-name 'My agent'"]),
        CommandSpec(
            path: ["identities", "update"], summary: "Change an identity's display name or description.",
            discussion: "What is not named stays as it is. \"culvert identities rename\" changes the handle.",
            arguments: ["HANDLE"],
            options: [
                .value("--display-name", "TEXT", "how people call it"),
                .flag("--clear-display-name", "remove the display name"),
                .value("--description", "TEXT", "up to 1,000 characters for your own use"),
                .flag("--clear-description", "remove the description"),
            ],
            examples: ["culvert identities update my-agent --clear-description"]),
        CommandSpec(
            path: ["identities", "rename"], summary: "Change an identity's handle, and its tunnel's name with it.",
            discussion: "The old host stops at once and the new one works; a connected agent stays connected.",
            arguments: ["HANDLE", "NEW-HANDLE"], examples: ["culvert identities rename my-agent our-agent"]),
        CommandSpec(
            path: ["identities", "delete"], summary: "Delete an identity, its tunnel and its keys, at once.",
            discussion: "This cannot be undone.", arguments: ["HANDLE"], examples: ["culvert identities delete my-agent"]),
        CommandSpec(
            path: ["identities", "signing-key"],
            summary: "Say whether an identity has a webhook signing key, or make a new one.",
            discussion: "A signing key is shown when it is made, and never again. A new one makes the old one void at once.",
            arguments: ["HANDLE"], options: [.flag("--rotate", "make a new signing key and print it"), secretFile],
            examples: ["culvert identities signing-key my-agent", "culvert identities signing-key my-agent --rotate"]),
    ]

    static let keys = CommandSpec(
        path: ["keys"], summary: "See, make, revoke and rotate API keys.",
        discussion: """
            A key of a whole organization is made by "culvertd"; here keys for one identity
            are made, which see and serve that identity alone, and keys that are narrowed to
            some scopes. Whoever makes a key gives no more than he has.
            """)

    static let keyCommands: [CommandSpec] = [
        CommandSpec(
            path: ["keys", "list"], summary: "List the API keys, newest first, without the keys themselves.",
            examples: ["culvert keys list"]),
        CommandSpec(
            path: ["keys", "get"], summary: "Show one API key, without the key itself.", arguments: ["ID-OR-LABEL"],
            examples: ["culvert keys get ci"]),
        CommandSpec(
            path: ["keys", "create"], summary: "Make an API key for one identity, or for some scopes.",
            discussion: """
                Without --scope the key may all that its identity may. With scopes it may do that
                and no more: tunnels:read, tunnels:write, secrets:rotate, identities:write,
                agents:connect, or tunnel:NAME:connect to connect an agent of that tunnel and
                nothing else. Without --identity it is for the whole organization; then there are
                keys:read, apps:read, webhooks:read, webhooks:write, audit:read and events:read
                besides, and it has no rotation secret.
                The server shows both once. With --secret-file they go into a file, the key on the
                first line and the rotation secret on the second, which "culvert login
                --api-key-file" takes as it is on the agent's machine.
                """,
            arguments: ["LABEL"],
            options: [
                .value("--identity", "HANDLE", "whose key it is"),
                .value("--description", "TEXT", "for your own use"),
                .value("--expires", "TIME", "when it stops working: 2027-01-31T12:00:00Z, 2027-01-31 or 90d"),
                .list("--scope", "SCOPE", "it may do this and no more; may be repeated"),
                .list("--allow-from", "RANGE", "it may be used from there only (192.0.2.0/24); may be repeated"), secretFile,
            ],
            examples: [
                "culvert keys create ci --identity my-agent --secret-file my-agent.key",
                "culvert keys create edge --identity my-agent --scope tunnel:my-agent:connect --allow-from 192.0.2.0/24",
                "culvert keys create reports --scope tunnels:read --scope audit:read",
            ]),
        CommandSpec(
            path: ["keys", "revoke"], summary: "Revoke an API key: whatever uses it is cut off at once.",
            discussion: "The key is given by its id, or by its label if no other key has that label.",
            arguments: ["ID-OR-LABEL"], examples: ["culvert keys revoke ci"]),
        CommandSpec(
            path: ["keys", "rotate"], summary: "Replace an API key: the one that is logged in, or another one.",
            discussion: """
                With ID-OR-LABEL an administrator puts a new key in that key's place and hands it
                over; with --overlap-hours both work for so long, else the old one ends at once,
                and the agents that use it.

                Without it the key that is logged in is replaced, if it is an identity's own. That
                needs the rotation secret that came with the key. The new key and the new
                rotation secret are kept where "culvert login" keeps them before anything is
                printed. If the answer is lost, run it again within 24 hours: it ends what was
                begun.
                """,
            arguments: ["[ID-OR-LABEL]"],
            options: [
                .value("--overlap-hours", "N", "with ID-OR-LABEL: the old key works so many hours longer, 0 to 168"),
                .value("--rotation-secret-file", "FILE", "read the rotation secret from FILE, if login did not get it"),
                .value("--secret-file", "FILE", "write the new key and rotation secret into FILE, too"),
            ],
            examples: ["culvert keys rotate", "culvert keys rotate edge --overlap-hours 24 --secret-file my-agent.key"]),
    ]
}
