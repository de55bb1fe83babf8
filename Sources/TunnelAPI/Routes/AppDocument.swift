internal import TunnelDomain
internal import TunnelService
internal import TunnelWire

extension AppRecord {
    /// The app object: every member is always there, in this order.
    var members: [JSONMember] {
        [
            JSONMember("client_id", .string(id.text)),
            JSONMember("organization_id", .string(organizationID.text)),
            JSONMember("name", .string(name)),
            JSONMember("scopes", .array(scopes.names.map { .string($0) })),
            JSONMember("secret_last4", .string(secretLast4)),
            JSONMember("created_by", .string(createdBy)),
            JSONMember("created_at", .time(createdAt)),
            JSONMember("updated_at", .time(updatedAt)),
            JSONMember("secret_rotated_at", .time(secretRotatedAt)),
            JSONMember("last_used_at", .time(lastUsedAt)),
        ]
    }

    var document: JSONValue { .object(members) }
}

extension CreateApp.Request {
    init(_ body: JSONValue) throws(Problem) {
        var reader = MemberReader(body)
        let name = reader.appName()
        let scopes = reader.scopes()
        try reader.check()
        self.init(name: name, scopes: scopes)
    }
}

extension MemberReader {
    fileprivate mutating func appName() -> String {
        guard let name = string("name") else { return "" }
        do throws(AppFieldError) { try AppFields.check(name: name) } catch { refuse("name", error.explanation) }
        return name
    }

    fileprivate mutating func scopes() -> Set<Scope> {
        switch body["scopes"] {
        case .array(let elements): return Set(elements.enumerated().compactMap { scope($1, at: $0) })
        case nil: refuse("scopes", "It is missing; send an array of scopes, which may be empty.")
        case let other?: refuse("scopes", "It is \(other.kindDescription); send an array of scopes.")
        }
        return []
    }

    private mutating func scope(_ value: JSONValue, at index: Int) -> Scope? {
        if let scope = value.stringValue.flatMap(Scope.init(rawValue:)) { return scope }
        refuse("scopes/\(index)", "It is no scope; there are \(Set(Scope.allCases).names.joined(separator: ", ")).")
        return nil
    }
}
