internal import FoundationEssentials
internal import TunnelClient
internal import TunnelDomain
internal import TunnelProfile
internal import TunnelWire

/// Who may do what: identities, keys, apps, and the book of what was done.
struct AccountMethods: Sendable {
    let services: Services

    var all: [Method] { [whoami] + identities + keys + apps + [audit, follow] }

    private func call(
        _ name: String, _ summary: String, _ parameters: [Method.Parameter] = [], result: JSON,
        _ work: @escaping @Sendable (CulvertClient, Arguments) async throws -> JSON
    ) -> Method {
        Method(
            name: name, summary: summary, parameters: parameters, result: result,
            run: .later { [services] arguments in try await work(services.server.client, arguments) })
    }

    private static let done = Schema.object(["is_done": Schema.flag("it is")], required: ["is_done"])
    private static let doneDocument = JSON.members(["is_done": .bool(true)])

    private static func list(_ name: String, _ element: JSON) -> JSON {
        .members([
            "type": .string("object"), "properties": .object([JSONMember(name, Schema.list(of: element, "newest first"))]),
            "required": .strings([name]),
        ])
    }

    private var whoami: Method {
        call("whoami", "Says whose API key is in use.", result: Schema.map("organization, key and scope")) { client, _ in
            try .document(try await client.caller())
        }
    }
}

// MARK: - Identities

extension AccountMethods {
    private static let identity = Schema.object(
        [
            "id": Schema.string("unique, for ever"), "agent_handle": Schema.string("its handle, and its tunnel's name"),
            "display_name": Schema.orNull(Schema.string("for people")),
            "description": Schema.orNull(Schema.string("for people")),
        ], required: ["id", "agent_handle"], "an identity, as the REST API shows it")
    private static let handle = Method.Parameter.required("agent_handle", Schema.string("its handle", max: 200))

    private var identities: [Method] {
        [
            call("identities.list", "Lists the identities.", result: Self.list("identities", Self.identity)) { client, _ in
                .members(["identities": try .document(try await client.identities())])
            },
            call("identities.get", "Shows one identity.", [Self.handle], result: Self.identity) { client, arguments in
                try .document(try await client.identity(handle: arguments.text("agent_handle")))
            },
            call(
                "identities.create", "Creates an identity and its tunnel.",
                [
                    Self.handle, .optional("display_name", Schema.string("for people", max: 1000)),
                    .optional("description", Schema.string("for people", max: 1000)),
                    .optional("tls_mode", Schema.word(["edge", "passthrough"], "of its tunnel; edge unless said")),
                ], result: Self.identity
            ) { client, arguments in
                try .document(
                    try await client.createIdentity(
                        handle: arguments.text("agent_handle"), displayName: arguments.string("display_name"),
                        description: arguments.string("description"),
                        tlsMode: arguments.string("tls_mode").map(TunnelRecord.TLSMode.init(word:))))
            },
            call(
                "identities.update", "Changes an identity; a new handle renames its tunnel. Null clears, absence leaves.",
                [
                    Self.handle, .optional("new_agent_handle", Schema.string("its new handle", max: 200)),
                    .optional("display_name", Schema.orNull(Schema.string("for people", max: 1000))),
                    .optional("description", Schema.orNull(Schema.string("for people", max: 1000))),
                ], result: Self.identity
            ) { client, arguments in
                let change = IdentityChange(
                    agentHandle: arguments.string("new_agent_handle"), displayName: .init(arguments["display_name"]),
                    description: .init(arguments["description"]))
                return try .document(try await client.updateIdentity(handle: arguments.text("agent_handle"), change))
            },
            call(
                "identities.delete", "Deletes an identity and its tunnel at once, and revokes its keys.", [Self.handle],
                result: Self.done
            ) { client, arguments in
                try await client.deleteIdentity(handle: arguments.text("agent_handle"))
                return Self.doneDocument
            },
            call(
                "identities.rotateSigningKey", "Makes an identity's webhook signing key, or a new one; it is shown this once.",
                [Self.handle], result: Schema.map("the key")
            ) { client, arguments in
                try .document(try await client.rotateSigningKey(ofIdentity: arguments.text("agent_handle")))
            },
            call(
                "identities.signingKey", "Says whether an identity has a webhook signing key, never the key itself.",
                [Self.handle],
                result: Schema.object(
                    [
                        "configured": Schema.flag("it has one"),
                        "created_at": Schema.orNull(Schema.time("when it was made or last replaced")),
                    ], required: ["configured"])
            ) { client, arguments in
                try .document(try await client.signingKeyStatus(ofIdentity: arguments.text("agent_handle")))
            },
        ]
    }
}

// MARK: - Keys and apps

extension AccountMethods {
    private static let key = Schema.object(
        [
            "id": Schema.string("unique, for ever"), "label": Schema.string("for people"),
            "status": Schema.string("active or revoked"),
            "display_prefix": Schema.orNull(Schema.string("how the key begins")),
            "scoped_identity_id": Schema.orNull(Schema.string("the identity that it is for")),
            "scopes": Schema.orNull(Schema.list(of: Schema.string("a scope"), "what it is narrowed to; null for nothing")),
            "allowed_ip_ranges": Schema.orNull(
                Schema.list(of: Schema.string("in CIDR notation"), "from where it may be used; null for everywhere")),
            "expires_at": Schema.orNull(Schema.time("from when on it counts no more")),
            "replaced_by": Schema.orNull(Schema.string("the id of the key that it was rotated into")),
        ], required: ["id", "label", "status"], "an API key, without the key")
    private static let app = Schema.object(
        [
            "client_id": Schema.string("unique, for ever"), "name": Schema.string("for people"),
            "scopes": Schema.list(of: Schema.string("a scope"), "what it may do"),
        ], required: ["client_id", "name", "scopes"], "an app, without its secret")
    private static let clientID = Method.Parameter.required("client_id", Schema.string("the app's id", max: 200))

    private var keys: [Method] {
        [
            call("keys.list", "Lists the API keys, never the keys themselves.", result: Self.list("keys", Self.key)) {
                client, _ in
                .members(["keys": try .document(try await client.apiKeys())])
            },
            call(
                "keys.get", "Shows one API key, never the key itself.",
                [.required("id", Schema.string("the key's id", max: 200))], result: Self.key
            ) { client, arguments in try .document(try await client.apiKey(id: arguments.text("id"))) },
            call(
                "keys.create", "Creates an API key of one identity, or one for some scopes; it is shown this once.",
                [
                    .required("label", Schema.string("for people", max: 1000)),
                    .optional(
                        "identity_id", Schema.string("whose it is; without one there must be scopes", max: 100)),
                    .optional("description", Schema.string("for people", max: 1000)),
                    .optional(
                        "scopes",
                        Schema.list(of: Schema.string("such as tunnels:read or tunnel:NAME:connect"), "all that it may do")),
                    .optional(
                        "allowed_ip_ranges",
                        Schema.list(of: Schema.string("such as 192.0.2.0/24"), "from where it may be used")),
                ],
                result: Schema.object(
                    ["api_key": Schema.string("the key"), "record": Self.key], required: ["api_key", "record"])
            ) { client, arguments in
                try .document(
                    try await client.createAPIKey(
                        label: arguments.text("label"), description: arguments.string("description"),
                        identityID: arguments.string("identity_id"), scopes: Self.words(arguments, "scopes"),
                        allowedIPRanges: Self.words(arguments, "allowed_ip_ranges")))
            },
            call(
                "keys.rotate",
                "Puts a new API key in another one's place; it is shown this once. With an overlap both count for a while, "
                    + "else the old one ends at once and connections that used it.",
                [
                    .required("id", Schema.string("the key's id", max: 200)),
                    .optional("overlap_hours", Schema.integer("both count so long; 0 unless said", 0...KeyOverlap.hoursMax)),
                ],
                result: Schema.object(
                    [
                        "api_key": Schema.string("the new key"), "record": Self.key, "replaced_record": Self.key,
                        "rotation_secret": Schema.orNull(Schema.string("with which its agent can rotate it")),
                    ], required: ["api_key", "record", "replaced_record"])
            ) { client, arguments in
                try .document(
                    try await client.rotateAPIKey(
                        id: arguments.text("id"), overlapHours: arguments.int("overlap_hours") ?? 0))
            },
            call(
                "keys.revoke", "Revokes an API key; connections that used it end.",
                [.required("id", Schema.string("the key's id", max: 200))], result: Self.done
            ) { client, arguments in
                try await client.revokeAPIKey(id: arguments.text("id"))
                return Self.doneDocument
            },
            rotateOwn,
        ]
    }

    private static func words(_ arguments: Arguments, _ name: String) -> [String]? {
        arguments[name]?.arrayValue.map { $0.compactMap(\.stringValue) }
    }

    private var rotateOwn: Method {
        Method(
            name: "keys.rotateOwn",
            summary:
                "Replaces the API key that is logged in, and its rotation secret, where \"culvert login\" keeps them. If it "
                + "breaks off, calling it again within 24 hours ends what was begun.",
            parameters: [
                .optional(
                    "rotation_secret_file",
                    Schema.string("a file with the rotation secret, if it is not kept with the key", max: 4096))
            ],
            result: Schema.object(
                [
                    "agent_id": Schema.string("the identity's id"), "agent_name": Schema.string("the identity's handle"),
                    "file": Schema.string("where the new key and secret are kept"),
                ], required: ["file"]),
            run: .later { [services] arguments in
                let server = try services.server
                let rotation = KeyRotation(profile: server.profile, client: server.client)
                let rotated = try await rotation.run(rotationSecretFile: arguments.string("rotation_secret_file"))
                return .some([
                    "agent_id": rotated.agentID.map(JSON.string), "agent_name": rotated.agentName.map(JSON.string),
                    "file": .string(server.profile.locations.configurationFile),
                ])
            })
    }

    private var apps: [Method] {
        [
            call("apps.list", "Lists the apps.", result: Self.list("apps", Self.app)) { client, _ in
                .members(["apps": try .document(try await client.apps())])
            },
            call("apps.get", "Shows one app.", [Self.clientID], result: Self.app) { client, arguments in
                try .document(try await client.app(clientID: arguments.text("client_id")))
            },
            call(
                "apps.create", "Creates an app; its client secret is shown this once.",
                [
                    .required("name", Schema.string("for people", max: 200)),
                    .required("scopes", Schema.list(of: Schema.string("such as tunnels:read"), "what it may do")),
                ], result: Self.app
            ) { client, arguments in
                let scopes = (arguments["scopes"]?.arrayValue ?? []).compactMap(\.stringValue)
                return try .document(
                    try await client.createApp(
                        named: arguments.text("name"), scopes: scopes.map(AppRecord.Scope.init(rawValue:))))
            },
            call("apps.delete", "Deletes an app; its secret stops at once.", [Self.clientID], result: Self.done) {
                client, arguments in
                try await client.deleteApp(clientID: arguments.text("client_id"))
                return Self.doneDocument
            },
            call(
                "apps.rotateSecret", "Replaces an app's client secret; the new one is shown this once.", [Self.clientID],
                result: Schema.object(["client_secret": Schema.string("the secret")], required: ["client_secret"])
            ) { client, arguments in
                .members(["client_secret": .string(try await client.rotateClientSecret(ofApp: arguments.text("client_id")))])
            },
        ]
    }
}

// MARK: - What was done, and what happens

extension AccountMethods {
    private var audit: Method {
        call(
            "audit.list", "Lists what was done: who, what, when, from where.",
            [
                .optional("actor", Schema.string("who", max: 200)),
                .optional("action", Schema.string("such as tunnel.create", max: 100)),
                .optional("resource", Schema.string("to what", max: 200)), .optional("since", Schema.time("from when on")),
                .optional("until", Schema.time("until when")),
                .optional("limit", Schema.integer("at most so many; 50 unless said", 1...10_000)),
            ], result: Self.list("audit_events", Schema.map("an event"))
        ) { client, arguments in
            let filter = AuditFilter(
                actor: arguments.string("actor"), action: arguments.string("action"), resource: arguments.string("resource"),
                since: try Self.date(arguments, "since"), until: try Self.date(arguments, "until"))
            let limit = arguments.int("limit") ?? 50
            let events = try await client.auditEvents(matching: filter, pageSize: min(limit, 200)).collect(limit: limit)
            return .members(["audit_events": try .document(events)])
        }
    }

    private static func date(_ arguments: Arguments, _ name: String) throws -> Date? {
        try arguments.time(name).map { Date(timeIntervalSince1970: Double($0.microsecondsSinceEpoch) / 1_000_000) }
    }

    private var follow: Method {
        Method(
            name: "events.follow",
            summary: "Sends an \"event\" notification for everything that happens at the service, until it is cancelled.",
            parameters: [
                .optional("types", Schema.list(of: Schema.string("such as tunnel.connected"), "only these")),
                .optional("after", Schema.string("the id of the event to go on behind", max: 200)),
            ], result: Schema.map("nothing; it ends by $/cancelRequest or with an error"),
            run: .wait { [services] arguments in
                let types = (arguments["types"]?.arrayValue ?? []).compactMap(\.stringValue).map(EventType.init(rawValue:))
                let feed = try services.server.client.events(types: types, after: arguments.string("after"))
                for try await event in feed {
                    services.tell(
                        .event(
                            .some([
                                "id": event.streamID.map(JSON.string), "type": .string(event.type.rawValue),
                                "event": try .document(event.document),
                            ])))
                }
                try Task.checkCancellation()
                return .object([])
            })
    }
}
