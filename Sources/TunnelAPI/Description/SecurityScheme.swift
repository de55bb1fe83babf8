internal import TunnelDomain
internal import TunnelWire

/// The ways in which a caller says who it is.
enum SecurityScheme: String, CaseIterable {
    case apiKey = "ApiKey"
    case bearerKey = "BearerKey"
    case app = "App"

    private var described: JSONValue {
        switch self {
        case .apiKey:
            .members([
                "type": .string("apiKey"), "in": .string("header"), "name": .string("X-API-Key"),
                "description": .string("An organization's admin key, or the key of one identity."),
            ])
        case .bearerKey:
            .members([
                "type": .string("http"), "scheme": .string("bearer"),
                "description": .string("The same keys as in `X-API-Key`."),
            ])
        case .app:
            .members([
                "type": .string("http"), "scheme": .string("basic"),
                "description": .string("An app's `client_id` and `client_secret`."),
            ])
        }
    }

    static var components: JSONValue { .object(allCases.map { JSONMember($0.rawValue, $0.described) }) }

    /// Any one of these will do.
    static func requirement(of access: Route.Access) -> JSONValue {
        switch access {
        case .everyone: .array([])
        case .rotationSecret: .array([apiKey, bearerKey].map { .members([$0.rawValue: .array([])]) })
        case .permitted(let action):
            .array(
                allCases.filter { $0 != .app || Permission.lets(appsDo: action) }.map { .members([$0.rawValue: .array([])]) })
        }
    }
}

extension Route.Access {
    /// Who may do it, as the permission table says, for people.
    var sentence: String {
        switch self {
        case .everyone: return "No credential is needed."
        case .rotationSecret: return "Allowed to an identity's key together with its rotation secret."
        case .permitted(let action):
            let who = [
                Permission.isAllowed(.adminKey, action) ? "admin keys" : nil, identitySentence(action), appSentence(action),
            ]
            return "Allowed to " + who.compactMap(\.self).joined(separator: ", ") + "."
        }
    }

    /// What a key needs that is narrowed to scopes, for people.
    var scopeSentence: String {
        switch self {
        case .everyone, .rotationSecret: return ""
        case .permitted(let action):
            guard let scope = Permission.keyScope(of: action) else { return "A key needs no scope for it." }
            return "A key that is narrowed to scopes needs `\(scope.rawValue)`."
        }
    }

    private func identitySentence(_ action: Permission.Action) -> String? {
        guard Permission.isAllowed(.identityKey(.nobody), action) else { return nil }
        return "an identity's key for what is its own"
    }

    private func appSentence(_ action: Permission.Action) -> String? {
        if Permission.isAllowed(.app([]), action) { return "every app" }
        let scopes = Scope.allCases.filter { Permission.isAllowed(.app([$0]), action) }
        return scopes.isEmpty ? nil : "apps with the scope " + scopes.map { "`\($0.rawValue)`" }.joined(separator: " or ")
    }
}

extension Permission {
    /// Whether any app may do it.
    fileprivate static func lets(appsDo action: Action) -> Bool { isAllowed(.app(Set(Scope.allCases)), action) }

    fileprivate static func isAllowed(_ kind: Principal.Kind, _ action: Action) -> Bool {
        decide(Principal(organizationID: .nobody, kind: kind), action) == .allow
    }
}

// The table of permissions does not look at who exactly asks.
extension IdentityID {
    fileprivate static let nobody = IdentityID(randomBytes: [UInt8](repeating: 0, count: 16))
}

extension OrganizationID {
    fileprivate static let nobody = OrganizationID(randomBytes: [UInt8](repeating: 0, count: 16))
}
