extension CommandSpec {
    static let rpc = CommandSpec(
        path: ["rpc"], summary: "Let editors and AI agents run tunnels.",
        discussion: "They start the program culvert-rpc and speak JSON-RPC with it; \"culvert-rpc --help\" explains.")

    static let rpcInstall = CommandSpec(
        path: ["rpc", "install"], summary: "Print or write the configuration by which a program starts culvert-rpc.",
        discussion: """
            The configuration names this machine's culvert-rpc and no secret: server and API key
            are those of "culvert login". With --write it goes into the program's file in the
            current folder, where everything else stays as it is: .mcp.json, .cursor/mcp.json or
            .vscode/mcp.json. Tools only read, unless --allow says more.
            """,
        options: [
            .value("--for", "PROGRAM", "claude, cursor or vscode"),
            .value("--allow", "LEVEL", "what tools may do: read, operate or destroy"),
            .flag("--write", "write it into the program's file instead of printing it"),
        ],
        examples: ["culvert rpc install --for claude", "culvert rpc install --for vscode --allow operate --write"])
}
