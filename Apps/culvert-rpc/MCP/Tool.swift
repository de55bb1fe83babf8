internal import TunnelWire

/// One tool of the Model Context Protocol: a native method under a name of its own, with less in and less out.
struct Tool: Sendable {
    var name: String
    var title: String
    var description: String
    /// The native method behind it; nil for the tool that makes plans.
    var method: String?
    var level: AllowedLevel
    var isReadOnly = false
    /// It may undo or overwrite something, so it is confirmed first, by the user or by a token from a plan.
    var isDestructive = false
    var isIdempotent = false
    /// It reaches beyond this machine and the organization's own service: third parties, local programs.
    var isOpenWorld = false
    /// Shows what strangers have sent.
    var isUntrusted = false
    /// Parameters of the method that no model decides on.
    var omitted: Set<String> = []
    /// Why these arguments are refused although the method would take them; nil when they are not.
    var objection: (@Sendable (JSON) -> String?)?
    /// What carrying it out does, for the plan and for the question to the user.
    var effect = ""

    /// Who may use a Unix socket is for its file's permissions to say, and many are as good as the whole machine
    /// (`/run/docker.sock`): no model makes one public.
    @Sendable private static func socketObjection(_ arguments: JSON) -> String? {
        guard arguments["target"]?.stringValue?.hasPrefix("unix:") == true else { return nil }
        return "a tool makes no Unix socket public, because its file's permissions keep strangers out; a person can, with "
            + "\"culvert http unix:PATH\" or the native method agent.start"
    }

    /// Members of results that are shown to people and kept in files, never put into a conversation.
    static let secretMembers: Set<String> = [
        "connect_secret", "api_key", "rotation_secret", "client_secret", "secret", "signing_key",
    ]
}

extension Tool {
    /// In this order for ever: clients cache the list, and models read it.
    static let all: [Tool] = reading + operating + destroying

    private static let reading: [Tool] = [
        Tool(
            name: "list_tunnels", title: "List tunnels", description: "Lists the organization's tunnels, newest first.",
            method: "tunnels.list", level: .read, isReadOnly: true, isIdempotent: true),
        Tool(
            name: "get_tunnel", title: "Show a tunnel", description: "Shows one tunnel by its name or id.",
            method: "tunnels.get",
            level: .read, isReadOnly: true, isIdempotent: true),
        Tool(
            name: "list_agents", title: "List agents",
            description: "Lists the agents that this process runs, with their public URLs.",
            method: "agent.list", level: .read, isReadOnly: true, isIdempotent: true),
        Tool(
            name: "list_requests", title: "List requests",
            description: "Lists requests that third parties have sent through this process's agents, newest first.",
            method: "requests.list", level: .read, isReadOnly: true, isIdempotent: true, isOpenWorld: true, isUntrusted: true,
            omitted: ["reveal"]),
        Tool(
            name: "get_request", title: "Show a request",
            description: "Shows one captured request and its answer: headers and bodies, cut and without secrets.",
            method: "requests.get", level: .read, isReadOnly: true, isIdempotent: true, isOpenWorld: true, isUntrusted: true,
            omitted: ["reveal"]),
        Tool(
            name: "wait_for_request", title: "Wait for a request",
            description:
                "Waits until a request that matches the filter has been answered, and shows it. One that is remembered "
                + "counts already; give the last id you know as \"after\" to wait for a new one.",
            method: "requests.wait", level: .read, isReadOnly: true, isIdempotent: true, isOpenWorld: true, isUntrusted: true,
            omitted: ["reveal"]),
        Tool(
            name: "assert_request", title: "Check requests",
            description:
                "Checks that as many requests as expected match the filter, and says how the nearest others differ. For "
                + "tests of webhooks.",
            method: "requests.assert", level: .read, isReadOnly: true, isIdempotent: true, isOpenWorld: true,
            isUntrusted: true),
        Tool(
            name: "whoami", title: "Whose key", description: "Says whose API key is in use.", method: "whoami", level: .read,
            isReadOnly: true, isIdempotent: true),
        Tool(
            name: "list_identities", title: "List identities", description: "Lists the organization's identities.",
            method: "identities.list", level: .read, isReadOnly: true, isIdempotent: true),
        Tool(
            name: "list_keys", title: "List API keys", description: "Lists the API keys, never the keys themselves.",
            method: "keys.list", level: .read, isReadOnly: true, isIdempotent: true),
        Tool(
            name: "list_apps", title: "List apps", description: "Lists the organization's apps.", method: "apps.list",
            level: .read, isReadOnly: true, isIdempotent: true),
        Tool(
            name: "list_audit_events", title: "List what was done", description: "Lists who did what, when and from where.",
            method: "audit.list", level: .read, isReadOnly: true, isIdempotent: true, isUntrusted: true),
        Tool(
            name: "list_webhooks", title: "List webhooks",
            description: "Lists where the service delivers its events, never the secrets.",
            method: "webhooks.list", level: .read, isReadOnly: true, isIdempotent: true),
        Tool(
            name: "list_webhook_deliveries", title: "List deliveries",
            description: "Lists what was sent to a webhook and how it went, newest first.",
            method: "webhooks.deliveries", level: .read, isReadOnly: true, isIdempotent: true),
        Tool(
            name: "validate_tunnel_name", title: "Check a name",
            description: "Says whether a text can be the name of a tunnel, and if not, why. Asks no server.",
            method: "domain.validateName", level: .read, isReadOnly: true, isIdempotent: true),
        Tool(
            name: "check_rate_limit", title: "Check a rate limit",
            description: "Decides whether one more success fits into a rolling window. Asks no server.",
            method: "domain.rateLimit", level: .read, isReadOnly: true, isIdempotent: true),
        Tool(
            name: "plan_renewal", title: "Plan a renewal",
            description: "Says when to renew a certificate and how pressing that is. Asks no server.",
            method: "domain.renewalPlan", level: .read, isReadOnly: true, isIdempotent: true),
    ]

    private static let operating: [Tool] = [
        Tool(
            name: "create_tunnel", title: "Create a tunnel",
            description: "Creates a tunnel. Its connect secret goes into a private file of this machine and is not shown.",
            method: "tunnels.create", level: .operate),
        Tool(
            name: "create_identity", title: "Create an identity", description: "Creates an identity and its tunnel.",
            method: "identities.create", level: .operate),
        Tool(
            name: "restore_tunnel", title: "Restore a tunnel", description: "Takes the deletion of a tunnel back.",
            method: "tunnels.restore", level: .operate, isIdempotent: true),
        Tool(
            name: "start_agent", title: "Start an agent",
            description: "Brings a local program, or a fixed answer, up under a public URL until it is stopped or this process "
                + "ends. Everyone on the internet can then reach it. Unix sockets are refused.",
            method: "agent.start", level: .operate, isOpenWorld: true, omitted: ["handler", "allow_remote", "take_over"],
            objection: Tool.socketObjection),
        Tool(
            name: "stop_agent", title: "Stop an agent", description: "Stops an agent of this process; its tunnel stays.",
            method: "agent.stop", level: .operate, isIdempotent: true),
        Tool(
            name: "plan_destructive_action", title: "Plan a destructive action",
            description: "Says what a destructive tool would do and gives the confirmation_token that the tool wants. Show the "
                + "plan to the user first. Changes nothing.",
            level: .operate, isReadOnly: true),
        Tool(
            name: "update_tunnel", title: "Change a tunnel",
            description: "Overwrites a tunnel's description or metadata.", method: "tunnels.update",
            level: .operate, isDestructive: true, isIdempotent: true,
            effect: "The tunnel's description or metadata is overwritten; what it was is lost."),
        Tool(
            name: "replay_request", title: "Send a request again",
            description: "Sends a captured request to its agent's local program once more.",
            method: "requests.replay", level: .operate, isDestructive: true, isOpenWorld: true, isUntrusted: true,
            omitted: ["reveal"], effect: "The local program gets the request again and does again whatever it does for it."),
        Tool(
            name: "replay_webhook_delivery", title: "Deliver an event again",
            description: "Sends a delivery to its webhook's URL once more.",
            method: "webhooks.replay", level: .operate, isDestructive: true, isOpenWorld: true,
            effect: "The webhook's receiver gets the event again and may do again whatever it does for it."),
    ]

    private static let destroying: [Tool] = [
        Tool(
            name: "rotate_connect_secret", title: "Rotate a connect secret",
            description:
                "Replaces a tunnel's connect secret; the new one goes into a private file.",
            method: "tunnels.rotateSecret", level: .destroy, isDestructive: true,
            effect: "Agents elsewhere that use the old secret are refused when they next connect."),
        Tool(
            name: "delete_tunnel", title: "Delete a tunnel",
            description: "Stops a tunnel at once; for 24 hours it can be restored.",
            method: "tunnels.delete", level: .destroy, isDestructive: true, isIdempotent: true,
            effect: "The tunnel answers nobody from now on, and is deleted in 24 hours unless it is restored."),
        Tool(
            name: "force_delete_tunnel", title: "Delete a tunnel for good",
            description: "Ends the 24 hours of a deletion now. This cannot be undone.",
            method: "tunnels.forceDelete", level: .destroy, isDestructive: true, isIdempotent: true,
            effect: "The tunnel is gone for good and its name is free for others. This cannot be undone."),
        Tool(
            name: "delete_identity", title: "Delete an identity",
            description: "Deletes an identity, its tunnel and its keys. This cannot be undone.",
            method: "identities.delete", level: .destroy, isDestructive: true, isIdempotent: true,
            effect: "The identity and its tunnel are gone for good, and its keys are revoked. This cannot be undone."),
        Tool(
            name: "revoke_key", title: "Revoke an API key",
            description: "Revokes an API key. This cannot be undone.", method: "keys.revoke",
            level: .destroy, isDestructive: true, isIdempotent: true,
            effect: "Everything that uses the key is refused from now on. This cannot be undone."),
        Tool(
            name: "delete_app", title: "Delete an app",
            description: "Deletes an app. This cannot be undone.", method: "apps.delete",
            level: .destroy, isDestructive: true, isIdempotent: true,
            effect: "The app's secret stops at once and the app is gone. This cannot be undone."),
        Tool(
            name: "delete_webhook", title: "Delete a webhook",
            description: "Deletes a webhook. This cannot be undone.", method: "webhooks.delete",
            level: .destroy, isDestructive: true, isIdempotent: true,
            effect: "Nothing is delivered to the webhook any more, and its secret is gone. This cannot be undone."),
    ]
}
