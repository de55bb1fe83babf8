internal import FoundationEssentials
internal import TunnelAgent
internal import TunnelProfile
internal import TunnelWire

/// Agents in this process, and the client as the one who answers.
struct AgentMethods: Sendable {
    let services: Services

    var all: [Method] { [start, stop, list, respond] }

    static let agentSchema = Schema.object(
        [
            "agent": Schema.string("its id in this process"), "tunnel": Schema.string("the tunnel's name"),
            "tunnel_id": Schema.string("the tunnel's id"), "public_url": Schema.string("where third parties reach it"),
            "mode": Schema.word(["target", "handler", "respond"], "what answers"),
            "target": Schema.string("the local program"),
            "status": Schema.word(["connecting", "connected", "reconnecting", "handing-over", "stopped"], "how it is"),
            "reason": Schema.string("why it is so"), "requests": Schema.integer("requests that it has carried"),
        ], required: ["agent", "tunnel", "public_url", "mode", "status", "requests"])

    private static let responseSchema = Schema.object(
        [
            "status": Schema.integer("the HTTP status", 200...599),
            "headers": Schema.anyOf(
                [
                    Schema.map("values by name"),
                    Schema.list(of: Schema.list(of: Schema.string("name, value"), "a pair"), "pairs, repeats allowed"),
                ], "header fields"),
            "body": Schema.string("text, sent in UTF-8"), "body_base64": Schema.string("bytes"),
        ], required: ["status"], isClosed: true, "the answer that every request gets")

    private var start: Method {
        Method(
            name: "agent.start",
            summary: "Brings a local program, the client itself or a fixed answer up under a public name; the name's tunnel is "
                + "made when there is none. Returns when third parties can reach it.",
            parameters: [
                .optional("name", Schema.string("the tunnel's name", max: 200)),
                .optional("new", Schema.flag("make a new tunnel under a name that is made up")),
                .optional(
                    "target",
                    Schema.anyOf(
                        [
                            Schema.string("3000, http://127.0.0.1:3000, or with capture false unix:/run/app.sock", max: 300),
                            Schema.integer("a port of this machine", 1...65535),
                        ],
                        "the local program that answers")),
                .optional("handler", Schema.flag("the client answers: request.received comes, request.respond goes")),
                .optional("respond", Self.responseSchema),
                .optional("pool_size", Schema.integer("requests to stand ready for", 1...32)),
                .optional(
                    "capture",
                    Schema.flag("remember requests and answers; true unless said. Both then pass whole, not as a stream")),
                .optional("allow_remote", Schema.flag("let the target be on another machine; only with capture false")),
                .optional("take_over", Schema.flag("displace another agent that serves this tunnel")),
            ],
            result: Self.agentSchema,
            run: .later { [services] arguments in
                let start = AgentFleet.Start(
                    name: try Self.name(arguments), mode: try await Self.mode(arguments), poolSize: arguments.int("pool_size"),
                    mayTakeOver: arguments.flag("take_over"))
                return try await services.fleet.start(start, services.server, report: arguments.report)
            })
    }

    private static func name(_ arguments: Arguments) throws -> String? {
        switch (arguments.string("name"), arguments.flag("new")) {
        case (let name?, false): return name
        case (nil, true): return nil
        case (nil, false), (.some, true): throw JSONRPCError.invalidParams("say either \"name\" or \"new\": true")
        }
    }

    private static func mode(_ arguments: Arguments) async throws -> AgentMode {
        let given = (arguments["target"], arguments.flag("handler"), arguments["respond"])
        switch given {
        case (nil, true, nil): return .handler
        case (nil, false, let response?): return .fixed(try Self.response(response))
        case (let target?, false, nil): return try await Self.target(target, arguments)
        default: throw JSONRPCError.invalidParams("say one of \"target\", \"handler\": true and \"respond\"")
        }
    }

    private static func target(_ value: JSON, _ arguments: Arguments) async throws -> AgentMode {
        let target = try AgentTarget(validating: value.stringValue ?? value.text)
        let policy: TargetAddressPolicy = arguments.flag("allow_remote") ? .anywhere : .loopbackOnly
        // Looking a name up may take seconds.
        try await Task.detached { try policy.check(target) }.value
        guard arguments["capture"]?.boolValue ?? true else { return .target(target, policy) }
        return .capturing(target, try AgentExchange.server(of: target))
    }

    /// An answer as `request.respond` and `respond` have it.
    static func response(_ value: JSON) throws -> AgentResponse {
        var fields: [AgentField] = []
        if let members = value["headers"]?.objectMembers {
            for member in members {
                for text in member.value.arrayValue ?? [member.value] { fields.append(try field(member.name, text)) }
            }
        }
        for pair in value["headers"]?.arrayValue ?? [] {
            guard let pair = pair.arrayValue, pair.count == 2, let name = pair[0].stringValue else {
                throw JSONRPCError.invalidParams("headers are pairs of a name and a value")
            }
            fields.append(try field(name, pair[1]))
        }
        var body: [UInt8] = []
        if let text = value["body"]?.stringValue { body = Array(text.utf8) }
        if let base64 = value["body_base64"]?.stringValue {
            guard value["body"] == nil, let data = Data(base64Encoded: base64) else {
                throw JSONRPCError.invalidParams("body_base64 is no base64, or stands beside body")
            }
            body = Array(data)
        }
        let status = value["status"]?.intValue ?? 200
        if ![204, 304].contains(status), !fields.contains(where: { $0.name == "content-length" }) {
            fields.append(AgentField("content-length", String(body.count)))
        }
        return AgentResponse(status: status, fields: fields, body: body)
    }

    private static func field(_ name: String, _ value: JSON) throws -> AgentField {
        guard let text = value.stringValue, HTTPSyntax.isToken(Array(name.utf8).span),
            HTTPSyntax.isFieldValue(Array(text.utf8).span)
        else {
            throw JSONRPCError.invalidParams("the header \"\(Printable.text(name))\" is none that HTTP allows")
        }
        return AgentField(name, text)
    }

    private var stop: Method {
        Method(
            name: "agent.stop", summary: "Stops an agent of this process; its tunnel stays and answers nobody.",
            parameters: [.required("agent", Schema.string("its id", max: 64))], result: Self.agentSchema,
            run: .later { [services] arguments in try await services.fleet.stop(try arguments.text("agent")) })
    }

    private var list: Method {
        Method(
            name: "agent.list", summary: "Lists the agents of this process, those that have ended too.",
            result: Schema.object(["agents": Schema.list(of: Self.agentSchema, "oldest first")], required: ["agents"]),
            run: .now { [services] _ in .members(["agents": .array(services.fleet.documents)]) })
    }

    private var respond: Method {
        Method(
            name: "request.respond", summary: "Answers a request that request.received has brought.",
            parameters: [
                .required("id", Schema.integer("the request's id")),
                .required("status", Schema.integer("the HTTP status", 200...599)),
                .optional("headers", Self.responseSchema["properties"]?["headers"] ?? .object([])),
                .optional("body", Schema.string("text, sent in UTF-8")), .optional("body_base64", Schema.string("bytes")),
            ],
            result: Schema.object(["is_accepted": Schema.flag("it is on its way")], required: ["is_accepted"]),
            run: .now { [services] arguments in
                let response = try Self.response(arguments.members)
                guard services.fleet.exchange.pending.settle(arguments.int("id") ?? 0, response) else {
                    throw RPCFailure.notFound(
                        "no request waits for an answer under this id: it was answered, or its caller left")
                }
                return .members(["is_accepted": .bool(true)])
            })
    }
}
