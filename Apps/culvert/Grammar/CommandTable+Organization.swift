extension CommandSpec {
    static let apps = CommandSpec(
        path: ["apps"], summary: "See and change apps: machine clients with a client id and secret.",
        discussion: """
            An app is given by its client id, or by its name if no other app has that name.
            It proves itself by HTTP Basic and may do what its scopes say: tunnels:read,
            tunnels:write, secrets:rotate, audit:read, events:read.
            """)

    static let appCommands: [CommandSpec] = [
        CommandSpec(path: ["apps", "list"], summary: "List the apps, newest first.", examples: ["culvert apps list"]),
        CommandSpec(
            path: ["apps", "get"], summary: "Show one app.", arguments: ["ID-OR-NAME"], examples: ["culvert apps get ci"]),
        CommandSpec(
            path: ["apps", "create"], summary: "Create an app and print its client secret.",
            discussion: "The server shows the secret this once.", arguments: ["NAME"],
            options: [.value("--scopes", "LIST", "what it may do, separated by commas"), secretFile],
            examples: ["culvert apps create monitoring --scopes tunnels:read,events:read"]),
        CommandSpec(
            path: ["apps", "delete"], summary: "Delete an app: its credential is refused at once.", arguments: ["ID-OR-NAME"],
            examples: ["culvert apps delete monitoring"]),
        CommandSpec(
            path: ["apps", "rotate-secret"], summary: "Replace an app's client secret and print the new one.",
            discussion: "The old secret is refused at once.", arguments: ["ID-OR-NAME"], options: [secretFile],
            examples: ["culvert apps rotate-secret monitoring --secret-file monitoring.secret"]),
    ]

    static let webhooks = CommandSpec(
        path: ["webhooks"], summary: "Have events delivered to a URL, and see what was delivered.",
        discussion: "\"culvert events --help\" lists the types of events.")

    static let webhookCommands: [CommandSpec] = [
        CommandSpec(
            path: ["webhooks", "list"], summary: "List the webhooks, newest first.", examples: ["culvert webhooks list"]),
        CommandSpec(
            path: ["webhooks", "create"], summary: "Have events delivered to a URL, and print what they are signed with.",
            discussion: """
                Deliveries are signed by Standard Webhooks with a secret that the server shows
                this once.
                """,
            arguments: ["URL"],
            options: [
                .value("--types", "LIST", "types of events, separated by commas"),
                .value("--identity", "HANDLE", "events of this identity alone"),
                .value("--description", "TEXT", "for your own use"), secretFile,
            ],
            examples: ["culvert webhooks create https://hooks.example/culvert --types tunnel.connected,tunnel.disconnected"]),
        CommandSpec(
            path: ["webhooks", "get"], summary: "Show one webhook.", arguments: ["ID"],
            examples: ["culvert webhooks get 4f0c5f0e-0000-4000-8000-000000000001"]),
        CommandSpec(
            path: ["webhooks", "update"], summary: "Change a webhook's URL, types or description.",
            discussion: "What is not named stays as it is.", arguments: ["ID"],
            options: [
                .value("--url", "URL", "deliver there from now on"),
                .value("--types", "LIST", "these types of events and no others, separated by commas"),
                .value("--description", "TEXT", "for your own use"),
                .flag("--clear-description", "remove the description"),
            ],
            examples: ["culvert webhooks update 4f0c5f0e-0000-4000-8000-000000000001 --types tunnel.*"]),
        CommandSpec(
            path: ["webhooks", "delete"], summary: "Deliver nothing to a webhook any more.", arguments: ["ID"],
            examples: ["culvert webhooks delete 4f0c5f0e-0000-4000-8000-000000000001"]),
        CommandSpec(
            path: ["webhooks", "rotate-secret"], summary: "Replace what a webhook's deliveries are signed with.",
            arguments: ["ID"], options: [secretFile],
            examples: ["culvert webhooks rotate-secret 4f0c5f0e-0000-4000-8000-000000000001"]),
        CommandSpec(
            path: ["webhooks", "deliveries"], summary: "List what was delivered to a webhook, newest first.", arguments: ["ID"],
            options: [
                .value("--limit", "N", "at most so many; 100 otherwise"), .flag("--all", "all of them, however many there are"),
            ],
            examples: ["culvert webhooks deliveries 4f0c5f0e-0000-4000-8000-000000000001"]),
        CommandSpec(
            path: ["webhooks", "delivery"], summary: "Show one delivery: how often it was tried and what came of it.",
            arguments: ["DELIVERY-ID"], examples: ["culvert webhooks delivery 9b1d5c1e-0000-4000-8000-000000000001"]),
        CommandSpec(
            path: ["webhooks", "replay"], summary: "Deliver an event once more.", arguments: ["DELIVERY-ID"],
            examples: ["culvert webhooks replay 9b1d5c1e-0000-4000-8000-000000000001"]),
    ]

    static let events = CommandSpec(
        path: ["events"], summary: "Print what happens at the service, one line for each event.",
        discussion: """
            Prints what the service keeps of the past, and ends; with --follow, what happens
            from now on until Ctrl-C. The last thing on a line is the event's id: --since-id
            goes on behind it. After a lost connection it goes on by itself, without a gap.
            With --json each event is one line of JSON, its id the member stream_id.

            The types are tunnel.created, tunnel.updated, tunnel.delete_pending,
            tunnel.restored, tunnel.deleted, tunnel.connected, tunnel.disconnected,
            tunnel.superseded, secret.rotated, cert.signed, cert.expiring,
            identity.created, identity.updated, identity.deleted, key.created,
            key.revoked and key.rotated.
            """,
        options: [
            .flag("--follow", "stay, and print what happens"),
            .value("--types", "LIST", "only these, separated by commas; tunnel.* is all of a kind"),
            .value("--since-id", "ID", "begin behind this event"),
        ],
        examples: ["culvert events --follow", "culvert events --types tunnel.connected,tunnel.disconnected --json"])

    static let audit = CommandSpec(
        path: ["audit"], summary: "Read the audit trail: who did what to which thing, when and from where.")

    static let auditList = CommandSpec(
        path: ["audit", "list"], summary: "List the audit trail, newest first.",
        discussion: "A TIME is a moment in UTC (2026-01-31T12:00:00Z), a day (2026-01-31) or so long ago (30m, 24h, 7d).",
        options: [
            .value("--actor", "ID", "only what this actor did"),
            .value("--action", "NOUN.VERB", "only this, such as secret.rotate"),
            .value("--resource", "ID", "only what was done to this"),
            .value("--since", "TIME", "only from then on"),
            .value("--until", "TIME", "only before then"),
            .value("--limit", "N", "at most so many lines; 100 otherwise"),
            .flag("--all", "all of them, however many there are"),
        ],
        examples: ["culvert audit list --since 24h", "culvert audit list --action secret.rotate --all --json"])

    static let completions = CommandSpec(
        path: ["completions"], summary: "Print a script that completes commands in your shell.",
        discussion: "SHELL is bash, zsh or fish. The script is made for this version of the program.", arguments: ["SHELL"],
        examples: [
            "culvert completions bash > ~/.local/share/bash-completion/completions/culvert",
            "culvert completions zsh > ~/.zfunc/_culvert", "culvert completions fish > ~/.config/fish/completions/culvert.fish",
        ])
}
