internal import TunnelDomain
internal import TunnelWire

/// The OpenAPI 3.1 document: the operations, and what the conventions of section 2 add to them.
package enum APIDescription {
    /// The document as it is served, printed by `culvertd openapi` and kept in Docs/openapi.json.
    package static let text = document.indented

    static let bytes = Array(text.utf8)

    /// Everything that is described; each has its line in the route table.
    static let operations: [APIOperation] =
        APIOperation.service + APIOperation.tunnels + APIOperation.identities + APIOperation.agents + APIOperation.apiKeys
        + APIOperation.apps + APIOperation.audit + APIOperation.events
        + APIOperation.webhooks

    static var document: JSONValue {
        .members([
            "openapi": .string("3.1.0"),
            "info": .members([
                "title": .string("Culvert"),
                "version": .string("1"),
                "summary": .string("Tunnels: public names for local programs."),
                "description": .string(conventions),
            ]),
            "servers": .array([.members(["url": .string("/")])]),
            "tags": .array(tags),
            "paths": paths,
            "components": .members([
                "securitySchemes": SecurityScheme.components,
                "headers": .object(
                    APIHeader.allCases.map { JSONMember($0.rawValue, .header($0)) }),
                "schemas": .object(schemas.map { JSONMember($0.name, $0.schema.json) }),
            ]),
        ])
    }

    private static let conventions = """
        A path works with and without a trailing slash. Bodies are JSON in UTF-8; members that are not described are ignored. \
        Times are ISO 8601 in UTC. Every error is a problem document (RFC 9457). What belongs to another organization is \
        answered like what does not exist. HEAD is answered like GET, without a body. What is no proper HTTP, has too large a \
        head, comes too slowly or to the wrong host is answered before any call sees it.
        """

    private static var tags: [JSONValue] {
        let used = Set(operations.map(\.tag))
        return APITag.allCases.filter(used.contains).map {
            .members(["name": .string($0.rawValue), "description": .string($0.summary)])
        }
    }

    private static var paths: JSONValue {
        var paths: [JSONMember] = []
        for operation in operations {
            let described = JSONMember(operation.method.lowercased(), operation.described)
            if let index = paths.firstIndex(where: { $0.name == operation.path }),
                case .object(let others) = paths[index].value
            {
                paths[index].value = .object(others + [described])
            } else {
                paths.append(JSONMember(operation.path, .object([described])))
            }
        }
        return .object(paths)
    }

    /// What the operations refer to, and what those refer to, each once and by name.
    private static var schemas: [NamedSchema] {
        var found: [String: NamedSchema] = [:]
        func collect(_ schema: JSONSchema) {
            for named in schema.named where found[named.name] == nil {
                found[named.name] = named
                collect(named.schema)
            }
        }
        for operation in operations {
            for body in [operation.body, operation.optionalBody].compactMap(\.self) { collect(body) }
            for answer in operation.allAnswers { if let content = answer.content { collect(content.schema) } }
        }
        return found.values.sorted { $0.name < $1.name }
    }
}

// MARK: - One operation

extension APIOperation {
    /// The operation object of the document.
    fileprivate var described: JSONValue {
        var members = [
            JSONMember("operationId", .string(id)),
            JSONMember("tags", .array([.string(tag.rawValue)])),
            JSONMember("summary", .string(summary)),
            JSONMember(
                "description",
                .string([details, access.sentence, access.scopeSentence].filter { !$0.isEmpty }.joined(separator: " "))),
            JSONMember("security", SecurityScheme.requirement(of: access)),
        ]
        let parameters = pathParameters + self.parameters + (isKeyed ? [.idempotencyKey] : [])
        if !parameters.isEmpty { members.append(JSONMember("parameters", .array(parameters.map(\.described)))) }
        if let body = body ?? optionalBody {
            let content = JSONValue.members(["application/json": .members(["schema": body.json])])
            members.append(JSONMember("requestBody", .members(["required": .bool(self.body != nil), "content": content])))
        }
        members.append(JSONMember("responses", .object(responses)))
        return .object(members)
    }

    /// What stands between braces in the path.
    private var pathParameters: [APIParameter] {
        RoutePattern.split(path).filter { $0.hasPrefix("{") }.map { segment in
            let name = String(segment.dropFirst().dropLast())
            guard let parameter = APIParameter.inPaths.first(where: { $0.name == name }) else {
                preconditionFailure("APIParameter.inPaths does not know {\(name)} of \(path)")
            }
            return parameter
        }
    }

    /// The call's own answers, and those that its nature adds.
    fileprivate var allAnswers: [DescribedAnswer] {
        var all = answers
        if access.readsBody { all.append(.problem(400, "The body is not JSON, or is nested too deeply.")) }
        all.append(.problem(413, "The body has more than \(ControlPlaneAPI.bodyByteCountMax) bytes."))
        if isMetered { all.append(.tooMany("The address or the credential has asked as often as it may in a minute.")) }
        if case .permitted = access {
            all.append(.problem(401, "The credential is missing, unknown, revoked or expired.", headers: [.wwwAuthenticate]))
            all.append(.problem(403, "The credential may not do this, or a key is used from an address that it is not for."))
        }
        if path.contains("{") { all.append(.problem(404, "There is none with this identifier among yours.")) }
        if body ?? optionalBody != nil { all.append(.problem(422, "The body breaks a rule; `errors` says which and where.")) }
        if isKeyed {
            all.append(.problem(409, "The first request with this `Idempotency-Key` still runs."))
        }
        if method == "POST" {
            all.append(.problem(422, "The `Idempotency-Key` is not right, or was used for another request."))
        }
        return all
    }

    private var responses: [JSONMember] {
        let statuses = Set(allAnswers.map(\.status)).sorted()
        var responses = statuses.map { status in
            JSONMember("\(status)", response(allAnswers.filter { $0.status == status }))
        }
        if isMetered {
            let fault = DescribedAnswer.problem(
                500,
                "The service has failed: with 503 trying again helps, with 507 its disk is full. The detail says more."
            )
            responses.append(JSONMember("5XX", response([fault])))
        }
        return responses
    }

    /// Several answers with one status, told as one.
    private func response(_ answers: [DescribedAnswer]) -> JSONValue {
        var headers: [APIHeader] = [.requestID]
        for header in answers.flatMap(\.headers) where !headers.contains(header) { headers.append(header) }
        if isKeyed, answers.contains(where: { $0.status < 500 && $0.status != 429 }) { headers.append(.idempotencyReplayed) }
        var members = [
            JSONMember("description", .string(answers.map(\.text).joined(separator: " Or: "))),
            JSONMember("headers", .object(headers.map { JSONMember($0.rawValue, .reference(to: $0)) })),
        ]
        if let content = answers.first?.content {
            let schema = JSONValue.members(["schema": content.schema.json])
            members.append(JSONMember("content", .object([JSONMember(content.type, schema)])))
        }
        return .object(members)
    }
}

extension APIParameter {
    fileprivate var described: JSONValue {
        var members = [
            JSONMember("name", .string(name)), JSONMember("in", .string(place.rawValue)),
            JSONMember("description", .string(text)), JSONMember("schema", schema.json),
        ]
        if place == .path { members.append(JSONMember("required", .bool(true))) }
        return .object(members)
    }
}

extension JSONValue {
    fileprivate static func header(_ header: APIHeader) -> JSONValue {
        .members([
            "description": .string(header.text), "required": .bool(header.isAlwaysThere), "schema": header.schema.json,
        ])
    }

    fileprivate static func reference(to header: APIHeader) -> JSONValue {
        .members(["$ref": .string("#/components/headers/\(header.rawValue)")])
    }
}

extension Route.Access {
    /// Everybody but those who need no credential has the body looked at, whatever the call does with it.
    fileprivate var readsBody: Bool {
        switch self {
        case .everyone: false
        case .permitted, .rotationSecret: true
        }
    }
}
