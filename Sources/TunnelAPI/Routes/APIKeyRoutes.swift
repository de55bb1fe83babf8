internal import TunnelDomain
internal import TunnelService
internal import TunnelWire

/// The calls on API keys (control plane, section 4).
struct APIKeyRoutes: Sendable {
    let ports: ServicePorts
    let rules: ServiceRules

    var routes: [Route] {
        [
            route("GET", "", .listKeys, .unused, .call(list)),
            route("POST", "", .createIdentityKey, .object, .keyed(mint)),
            route("GET", "/{key_id}", .listKeys, .unused, .call(get)),
            route("DELETE", "/{key_id}", .revokeKey, .unused, .call(revoke)),
            route("POST", "/{key_id}/rotate", .rotateKey, .objectOrNothing, .keyed(rotate)),
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
            try MintAPIKey(ports: ports, limits: rules.keys).decide(request, by: call.context, in: store, at: now).map { new in
                APIAnswer(
                    201,
                    .members([
                        "api_key": .string(new.apiKey), "rotation_secret": .optional(new.rotationSecret),
                        "record": document(try store.snapshot(of: new.record, at: now)),
                    ]))
            }
        }
    }

    @Sendable private func rotate(_ call: APICall, _ keeper: AnswerKeeper?) async throws -> APIAnswer {
        let overlap = try KeyOverlap(call.body)
        return try await ports.answer(call, keeper) { store, now in
            try RotateAPIKey(ports: ports, rules: rules)
                .decide(call.apiKeyID, overlap: overlap, by: call.context, in: store, at: now).map { rotated in
                    APIAnswer(
                        201,
                        .members([
                            "api_key": .string(rotated.new.apiKey), "rotation_secret": .optional(rotated.new.rotationSecret),
                            "record": document(try store.snapshot(of: rotated.new.record, at: now)),
                            "replaced_record": document(try store.snapshot(of: rotated.old, at: now)),
                        ])
                    ).limited(by: rotated.rateLimit)
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
            "scopes": .strings(snapshot.scopeNames),
            "allowed_ip_ranges": .strings(key.bounds.rangeTexts),
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
            "replaced_by": .optional(key.replacedBy.map { APIKeyRecord.text(of: $0) }),
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
        let scopes = reader.keyScopes()
        let ranges = reader.addressRanges()
        try reader.check()
        self.init(
            label: label ?? "", description: description, identityID: identityID, expiresAt: expiresAt, scopes: scopes,
            ranges: ranges)
    }
}

extension KeyOverlap {
    /// Reads how long the old key is to go on; without a word it ends at once.
    init(_ body: JSONValue) throws(Problem) {
        var reader = MemberReader(body)
        let hours = reader.integer("overlap_hours", in: 0...KeyOverlap.hoursMax, "hours")
        try reader.check()
        self = hours.flatMap { KeyOverlap(hours: $0) } ?? .none
    }
}

extension KeyBounds {
    /// The ranges as they are written; nil when there are none.
    var rangeTexts: [String]? { ranges.isEmpty ? nil : ranges.map(\.text) }
}

extension JSONValue {
    static func strings(_ texts: [String]?) -> JSONValue { texts.map { .array($0.map { .string($0) }) } ?? .null }
}

extension MemberReader {
    mutating func keyScopes() -> [KeyScopeName]? {
        list("scopes", of: "scopes") { text in
            do throws(KeyScopeError) {
                return .value(try KeyScopeName(validating: text))
            } catch {
                return .flaw(error.explanation)
            }
        }
    }

    mutating func addressRanges() -> [AddressRange]? {
        list("allowed_ip_ranges", of: "ranges in CIDR notation") { text in
            do throws(AddressRangeError) {
                return .value(try AddressRange(validating: text))
            } catch {
                return .flaw(error.explanation)
            }
        }
    }

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
        case .scopesEmpty, .tooManyScopes, .scopesBeyondIdentity, .noTunnelToConnect, .notTheIdentitysTunnel:
            self.init("/scopes", error.explanation)
        case .rangesEmpty, .tooManyRanges: self.init("/allowed_ip_ranges", error.explanation)
        }
    }
}

extension APICall {
    /// The key that the path names; nil for a text that is no id, which is treated like an unknown id.
    var apiKeyID: UUIDValue? { parameters.first.flatMap { APIKeyRecord.id(of: $0) } }
}
