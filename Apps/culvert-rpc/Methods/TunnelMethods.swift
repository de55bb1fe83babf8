internal import FoundationEssentials
internal import TunnelClient
internal import TunnelProfile
internal import TunnelWire

/// The tunnels of the organization.
struct TunnelMethods: Sendable {
    let services: Services

    var all: [Method] {
        [list, get, create, update, delete, restore, forceDelete, rotateSecret, signCSR]
    }

    static let tunnelSchema = Schema.object(
        [
            "id": Schema.string("unique, for ever"), "tunnel_name": Schema.string("the first label of its public host"),
            "public_host": Schema.string("the host that third parties call"),
            "status": Schema.string("awaiting_cert, active, delete_pending or deleted"),
            "tls_mode": Schema.string("edge: the service ends TLS; passthrough: the agent does"),
            "currently_connected": Schema.flag("an agent serves it"),
            "description": Schema.orNull(Schema.string("for people")), "metadata": Schema.map("for programs"),
        ], required: ["id", "tunnel_name", "status"], "a tunnel, as the REST API shows it")

    static let tunnelParameter = Method.Parameter.required("tunnel", Schema.string("its name or its id", max: 200))

    private var list: Method {
        Method(
            name: "tunnels.list", summary: "Lists the tunnels that are not deleted, newest first.",
            result: Schema.object(["tunnels": Schema.list(of: Self.tunnelSchema, "all of them")], required: ["tunnels"]),
            run: .later { [services] _ in .members(["tunnels": try .document(try await services.server.client.tunnels())]) })
    }

    private var get: Method {
        Method(
            name: "tunnels.get", summary: "Shows one tunnel.", parameters: [Self.tunnelParameter], result: Self.tunnelSchema,
            run: .later { [services] arguments in
                try .document(try await Self.find(arguments.text("tunnel"), services.server.client))
            })
    }

    private var create: Method {
        Method(
            name: "tunnels.create",
            summary: "Creates a tunnel. Its connect secret is shown this once, and kept in a file of this machine.",
            parameters: [
                .required("name", Schema.string("3 to 63 characters of a-z, 0-9 and single hyphens", max: 200)),
                .optional("description", Schema.string("for people", max: 1000)),
                .optional("tls_mode", Schema.word(["edge", "passthrough"], "fixed for its life; edge unless said")),
            ],
            result: Schema.object(
                [
                    "tunnel": Self.tunnelSchema, "connect_secret": Schema.string("what an agent connects with"),
                    "connect_secret_file": Schema.string("where it is kept"),
                ], required: ["tunnel"]),
            run: .later { [services] arguments in
                let server = try services.server
                let created = try await server.client.createTunnel(
                    named: arguments.text("name"), description: arguments.string("description"),
                    tlsMode: arguments.string("tls_mode").map(TunnelRecord.TLSMode.init(word:)) ?? .edge)
                let tunnel = created.tunnel
                if let secret = created.connectSecret { try server.profile.memory.remember(secret: secret, of: tunnel) }
                return try JSON.document(created).adding([
                    "connect_secret_file": created.connectSecret.flatMap { _ in
                        server.profile.memory.path(ofTunnel: tunnel.tunnelName).map(JSON.string)
                    }
                ])
            })
    }

    private var update: Method {
        Method(
            name: "tunnels.update", summary: "Changes a tunnel's description or metadata; null clears, absence leaves.",
            parameters: [
                Self.tunnelParameter, .optional("description", Schema.orNull(Schema.string("for people", max: 1000))),
                .optional("metadata", Schema.orNull(Schema.map("for programs; at most 4 KiB"))),
            ],
            result: Self.tunnelSchema,
            run: .later { [services] arguments in
                let client = try services.server.client
                let tunnel = try await Self.find(arguments.text("tunnel"), client)
                return try .document(try await client.updateTunnel(id: tunnel.id, try Self.change(arguments)))
            })
    }

    private static func change(_ arguments: Arguments) throws -> TunnelChange {
        var change = TunnelChange()
        if let description = arguments["description"] {
            if let text = description.stringValue { change.description = .set(text) } else { change.description = .clear }
        }
        if let metadata = arguments["metadata"] {
            guard metadata != .null else {
                change.metadata = .clear
                return change
            }
            let read = try? ClientJSON.decoder().decode([String: TunnelClient.JSONValue].self, from: Data(metadata.serialized))
            guard let read else { throw JSONRPCError.invalidParams("metadata is no object") }
            change.metadata = .set(read)
        }
        guard change != TunnelChange() else { throw JSONRPCError.invalidParams("there is nothing to change") }
        return change
    }

    private var delete: Method {
        act(
            "tunnels.delete", "Stops a tunnel at once and deletes it in 24 hours; until then it can be restored."
        ) { client, tunnel in try await client.deleteTunnel(id: tunnel.id) }
    }

    private var restore: Method {
        act("tunnels.restore", "Takes a deletion back.") { client, tunnel in try await client.restoreTunnel(id: tunnel.id) }
    }

    private var forceDelete: Method {
        act(
            "tunnels.forceDelete", "Ends the 24 hours of a deletion now and frees the name. This cannot be undone."
        ) { client, tunnel in try await client.forceDeleteTunnel(id: tunnel.id) }
    }

    private func act(
        _ name: String, _ summary: String, _ act: @escaping @Sendable (CulvertClient, TunnelRecord) async throws -> TunnelRecord
    ) -> Method {
        Method(
            name: name, summary: summary, parameters: [Self.tunnelParameter], result: Self.tunnelSchema,
            run: .later { [services] arguments in
                let client = try services.server.client
                return try .document(try await act(client, try await Self.find(arguments.text("tunnel"), client)))
            })
    }

    private var rotateSecret: Method {
        Method(
            name: "tunnels.rotateSecret",
            summary: "Replaces a tunnel's connect secret; connected agents stay. The new one is shown this once, and kept.",
            parameters: [Self.tunnelParameter],
            result: Schema.object(
                [
                    "connect_secret": Schema.string("what an agent connects with from now on"),
                    "connect_secret_file": Schema.string("where it is kept"),
                ]),
            run: .later { [services] arguments in
                let server = try services.server
                let tunnel = try await Self.find(arguments.text("tunnel"), server.client)
                let secret = try await server.client.rotateConnectSecret(tunnelID: tunnel.id)
                try server.profile.memory.remember(secret: secret, of: tunnel)
                return .some([
                    "connect_secret": .string(secret),
                    "connect_secret_file": server.profile.memory.path(ofTunnel: tunnel.tunnelName).map(JSON.string),
                ])
            })
    }

    private var signCSR: Method {
        Method(
            name: "tunnels.signCSR", summary: "Has a certificate signed for a passthrough tunnel.",
            parameters: [
                Self.tunnelParameter, .required("csr_pem", Schema.string("a PKCS #10 request (RFC 2986) in PEM", max: 65536)),
            ],
            result: Schema.object(
                [
                    "cert_pem": Schema.string("the certificate"), "chain_pem": Schema.string("what it chains to"),
                    "cert_fingerprint_sha256": Schema.string("over its DER bytes"),
                    "cert_expires_at": Schema.time("until when it is valid"),
                ], required: ["cert_pem", "chain_pem"]),
            run: .later { [services] arguments in
                let client = try services.server.client
                let tunnel = try await Self.find(arguments.text("tunnel"), client)
                return try .document(
                    try await client.signCSR(tunnelID: tunnel.id, csrPEM: arguments.text("csr_pem")))
            })
    }

    /// The tunnel with this name or id.
    static func find(_ given: String, _ client: CulvertClient) async throws -> TunnelRecord {
        let tunnels = try await client.tunnels()
        let found = tunnels.first { $0.tunnelName == given } ?? tunnels.first { $0.id == given.lowercased() }
        if let found { return found }
        // A deleted tunnel is in no list, and can be looked at.
        let missing = RPCFailure.notFound(
            "there is no tunnel \"\(Printable.text(given))\"; tunnels.list shows those there are")
        guard let id = UUID(uuidString: given) else { throw missing }
        do throws(ClientError) {
            return try await client.tunnel(id: id.uuidString.lowercased())
        } catch .refused(let refusal) where refusal.kind == .notFound {
            throw missing
        } catch {
            throw error
        }
    }
}
