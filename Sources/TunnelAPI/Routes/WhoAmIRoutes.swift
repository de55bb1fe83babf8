internal import TunnelDomain
internal import TunnelService
internal import TunnelWire

/// What a credential is told of itself. Times are Unix seconds here, as the published client types them (control plane,
/// section 4).
struct WhoAmIRoutes: Sendable {
    let ports: ServicePorts
    let rules: ServiceRules

    /// The client asks below the root of the API; its siblings are below the version.
    var routes: [Route] {
        ["/api/whoami", "/api/v1/whoami"].map { path in
            Route(
                method: "GET", pattern: RoutePattern(path), access: .permitted(.askWhoAmI), body: .unused,
                handler: .call(whoAmI))
        }
    }

    @Sendable private func whoAmI(_ call: APICall) async throws -> APIAnswer {
        switch try await WhoAmI(ports: ports)(by: call.context) {
        case .apiKey(let snapshot): APIAnswer(200, document(of: snapshot))
        case .app(let scopes): APIAnswer(200, document(ofApp: call.context, scopes))
        }
    }

    private func document(of snapshot: APIKeySnapshot) -> JSONValue {
        let key = snapshot.record
        return .members([
            "auth_type": .string("api_key"),
            "auth_subtype": .string(key.scopedIdentityID == nil ? "api_key.admin_scoped" : "api_key.agent_scoped.claimed"),
            "scope": .null,
            "organization_id": .string(key.organizationID.text),
            "created_by": .string(key.createdBy),
            "creator_type": .string(key.creatorType.rawValue),
            "key_id": .string(key.idText),
            "label": .string(key.label),
            "description": .optional(key.description),
            "scoped_identity_id": .optional(key.scopedIdentityID?.text),
            "created_at": .unixSeconds(key.createdAt),
            "last_used_at": .unixSeconds(key.lastUsedAt),
            "expires_at": .unixSeconds(key.expiresAt),
            "scopes": .strings(snapshot.scopeNames),
            "allowed_ip_ranges": .strings(key.bounds.rangeTexts),
            "connectable_tunnels": .array(snapshot.tunnels.map { connectable($0, at: snapshot.moment) }),
        ])
    }

    /// What an agent has to know of a tunnel that its key may connect it for and nothing else.
    private func connectable(_ tunnel: Tunnel, at now: Timestamp) -> JSONValue {
        .members([
            "id": .string(tunnel.id.text),
            "tunnel_name": .string(tunnel.name.text),
            "agent_identity_id": .optional(tunnel.identityID?.text),
            "tls_mode": .string(tunnel.tlsMode.rawValue),
            "status": .string(tunnel.status(at: now).rawValue),
            "public_host": .string(PublicHost(name: tunnel.name, zone: rules.zone).text),
            "zone": .string(rules.zone.text),
        ])
    }

    private func document(ofApp context: CallContext, _ scopes: Set<Scope>) -> JSONValue {
        .members([
            "auth_type": .string("app"),
            "auth_subtype": .string("app.client_secret"),
            "scope": .string(scopes.map(\.rawValue).sorted().joined(separator: " ")),
            "organization_id": .string(context.organizationID.text),
            "client_id": .string(context.actor.id),
            "label": .string(context.actor.label),
        ])
    }
}

extension JSONValue {
    /// A moment as seconds since 1970 with six decimals, or null.
    static func unixSeconds(_ moment: Timestamp?) -> JSONValue {
        guard let moment else { return .null }
        let (seconds, microseconds) = moment.microsecondsSinceEpoch.quotientAndRemainder(dividingBy: 1_000_000)
        let fraction = String(microseconds.magnitude)
        let sign = moment.microsecondsSinceEpoch < 0 ? "-" : ""
        return .number("\(sign)\(seconds.magnitude)." + String(repeating: "0", count: 6 - fraction.count) + fraction)
    }
}
