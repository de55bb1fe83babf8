internal import TunnelDomain
internal import TunnelService
internal import TunnelWire

/// The calls on API keys (control plane, section 4).
struct APIKeyRoutes: Sendable {
    let ports: ServicePorts

    var routes: [Route] {
        [
            route("GET", "", .listKeys, .unused, .call(list)),
            route("POST", "", .createIdentityKey, .object, .keyed(mint)),
            route("GET", "/{key_id}", .listKeys, .unused, .call(get)),
            route("DELETE", "/{key_id}", .revokeKey, .unused, .call(revoke)),
        ]
    }

    private func route(
        _ method: String, _ path: String, _ action: Permission.Action, _ body: Route.BodyRule, _ handler: Route.Handler
    ) -> Route {
        Route(
            method: method, pattern: RoutePattern("/api/v1/api-keys" + path), access: .permitted(action), body: body,
            handler: handler)
    }

    private func document(_ snapshot: APIKeySnapshot) -> JSONValue { APIKeyDocument(snapshot: snapshot).value }
}

extension APIKeyRoutes {
    @Sendable private func list(_ call: APICall) async throws -> APIAnswer {
        try await ListAPIKeys(ports: ports)(ListRange(call.target), by: call.context).bareAnswer(call.target, document)
    }

    @Sendable private func get(_ call: APICall) async throws -> APIAnswer {
        APIAnswer(200, document(try await GetAPIKey(ports: ports)(call.apiKeyID, by: call.context)))
    }

    @Sendable private func mint(_ call: APICall, _ keeper: AnswerKeeper?) async throws -> APIAnswer {
        let request = try MintAPIKey.Request(call.body)
        return try await ports.answer(call, keeper) { store, now in
            try MintAPIKey(ports: ports).decide(request, by: call.context, in: store, at: now).map { new in
                APIAnswer(
                    201,
                    .members([
                        "api_key": .string(new.apiKey), "rotation_secret": .string(new.rotationSecret),
                        "record": document(APIKeySnapshot(record: new.record, moment: now)),
                    ]))
            }
        }
    }

    @Sendable private func revoke(_ call: APICall) async throws -> APIAnswer {
        try await ports.answer(call) { store, now in
            try RevokeAPIKey(ports: ports).decide(call.apiKeyID, by: call.context, in: store, at: now).map { .noContent }
        }
    }
}

/// A key's record as clients read it; nothing in it could be used as the key.
struct APIKeyDocument {
    let snapshot: APIKeySnapshot

    var value: JSONValue {
        let key = snapshot.record
        return .members([
            "id": .string(key.idText),
            "organization_id": .string(key.organizationID.text),
            "created_by": .string(key.createdBy),
            "creator_type": .string(key.creatorType.rawValue),
            "scoped_identity_id": .optional(key.scopedIdentityID?.text),
            "label": .string(key.label),
            "description": .optional(key.description),
            "status": .string(status),
            "last4": .string(key.last4),
            "display_prefix": .string(key.displayPrefix),
            "last_used_at": .time(key.lastUsedAt),
            "expires_at": .time(key.expiresAt),
            "revoked_at": .time(key.revokedAt),
            "created_at": .time(key.createdAt),
            "updated_at": .time(key.updatedAt),
        ])
    }

    /// Clients know two words; whatever counts no more is revoked to them.
    private var status: String {
        switch snapshot.record.standing(at: snapshot.moment) {
        case .valid: "active"
        case .expired, .revoked, .replaced: "revoked"
        }
    }
}

extension MintAPIKey.Request {
    init(_ body: JSONValue) throws(Problem) {
        var reader = MemberReader(body)
        let label = reader.label()
        let description = reader.keyDescription()
        let identityID = reader.scopedIdentityID()
        let expiresAt = reader.expiry()
        try reader.check()
        self.init(label: label ?? "", description: description, identityID: identityID, expiresAt: expiresAt)
    }
}

extension MemberReader {
    mutating func label() -> String? {
        guard let text = string("label") else { return nil }
        if text.unicodeScalars.contains("\0") { refuse("label", "It contains the character U+0000.") }
        do throws(APIKeyFieldError) { try APIKeyFields.check(label: text) } catch { errors.append(FieldError(error)) }
        return text
    }

    mutating func keyDescription() -> String? {
        let text = plainText("description").applied(to: nil)
        do throws(APIKeyFieldError) { try APIKeyFields.check(description: text) } catch { errors.append(FieldError(error)) }
        return text
    }

    mutating func scopedIdentityID() -> IdentityID? {
        guard let text = change("scoped_identity_id").applied(to: nil) else { return nil }
        let id = IdentityID(text)
        if id == nil { refuse("scoped_identity_id", "It is not the id of an identity, which is a UUID.") }
        return id
    }

    /// Whether the moment lies in the future is for the use case to say.
    mutating func expiry() -> Timestamp? {
        guard let text = change("expires_at").applied(to: nil) else { return nil }
        let moment = Timestamp(iso8601: text)
        if moment == nil { refuse("expires_at", "It is not a moment as ISO 8601 in UTC, such as 2027-01-31T12:00:00Z.") }
        return moment
    }
}

extension FieldError {
    init(_ error: APIKeyFieldError) {
        switch error {
        case .labelEmpty, .labelTooLong: self.init("/label", error.explanation)
        case .descriptionTooLong: self.init("/description", error.explanation)
        case .expiryInThePast: self.init("/expires_at", error.explanation)
        }
    }
}

extension APICall {
    /// The key that the path names; nil for a text that is no id, which is treated like an unknown id.
    var apiKeyID: UUIDValue? { parameters.first.flatMap { APIKeyRecord.id(of: $0) } }
}
