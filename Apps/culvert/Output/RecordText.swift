internal import FoundationEssentials
internal import TunnelClient

/// Identities as people read them.
enum IdentityText {
    static func table(_ identities: [IdentityRecord]) -> String {
        guard !identities.isEmpty else { return "There are no identities. \"culvert identities create HANDLE\" makes one." }
        return TextTable.rows(
            ["HANDLE", "DISPLAY NAME", "TUNNEL", "PUBLIC HOST", "ID"],
            identities.map {
                [
                    $0.agentHandle, $0.displayName ?? "-", $0.tunnel?.status.word ?? "-", $0.tunnel?.publicHost ?? "-", $0.id,
                ]
            })
    }

    static func details(_ identity: IdentityRecord) -> String {
        TextTable.details([
            ("handle", identity.agentHandle), ("id", identity.id), ("display name", identity.displayName),
            ("description", identity.description), ("tunnel", identity.tunnel?.id),
            ("tunnel status", identity.tunnel?.status.word), ("public host", identity.tunnel?.publicHost),
            ("tls mode", identity.tunnel?.tlsMode.word),
            ("signing key", identity.signingKeyConfigured.map { $0 ? "yes" : "no" }),
            ("created", identity.createdAt.map(TunnelText.time)), ("updated", identity.updatedAt.map(TunnelText.time)),
        ])
    }
}

/// API keys as people read them.
enum KeyText {
    static func table(_ keys: [APIKeyRecord], handles: [String: String]) -> String {
        guard !keys.isEmpty else { return "There are no API keys that this key may see." }
        return TextTable.rows(
            ["LABEL", "STATUS", "FOR", "SCOPES", "FROM", "KEY", "LAST USED", "ID"],
            keys.map {
                [
                    $0.label, $0.status.rawValue, owner($0, handles), list($0.scopes) ?? "all",
                    list($0.allowedIPRanges) ?? "everywhere", shape($0), $0.lastUsedAt.map(TunnelText.time) ?? "never", $0.id,
                ]
            })
    }

    static func details(_ key: APIKeyRecord, handle: String?) -> String {
        TextTable.details([
            ("label", key.label), ("id", key.id), ("status", key.status.rawValue), ("for", handle ?? key.scopedIdentityID),
            ("scopes", list(key.scopes)), ("usable from", list(key.allowedIPRanges)),
            ("key", shape(key)), ("description", key.description), ("last used", key.lastUsedAt.map(TunnelText.time)),
            ("revoked", key.revokedAt.map(TunnelText.time)), ("expires", key.expiresAt.map(TunnelText.time)),
            ("rotated into", key.replacedBy), ("created", key.createdAt.map(TunnelText.time)),
        ])
    }

    static func list(_ words: [String]?) -> String? { words?.joined(separator: ", ") }

    private static func owner(_ key: APIKeyRecord, _ handles: [String: String]) -> String {
        key.scopedIdentityID.map { handles[$0] ?? $0 } ?? "organization"
    }

    private static func shape(_ key: APIKeyRecord) -> String { "\(key.displayPrefix ?? "")…\(key.last4 ?? "")" }
}

/// The caller as people read it.
enum CallerText {
    static func details(_ caller: Caller, handle: String?) -> String {
        let kind =
            switch caller.authSubtype {
            case .adminKey?: "API key of the whole organization"
            case .identityKey?: "API key of one identity"
            case let other?: other.rawValue
            case nil: caller.authType
            }
        return TextTable.details([
            ("credential", kind), ("identity", handle ?? caller.scopedIdentityID), ("label", caller.label),
            ("id", caller.keyID ?? caller.clientID), ("scopes", caller.scope ?? KeyText.list(caller.scopes)),
            ("usable from", KeyText.list(caller.allowedIPRanges)), ("organization", caller.organizationID),
            ("description", caller.description), ("created", time(caller.createdAt)), ("last used", time(caller.lastUsedAt)),
            ("expires", time(caller.expiresAt)),
        ])
    }

    private static func time(_ seconds: Double?) -> String? {
        seconds.map { TunnelText.time(Date(timeIntervalSince1970: $0)) }
    }
}

/// Apps as people read them.
enum AppText {
    static func table(_ apps: [AppRecord]) -> String {
        guard !apps.isEmpty else { return "There are no apps. \"culvert apps create NAME --scopes LIST\" makes one." }
        return TextTable.rows(
            ["NAME", "CLIENT ID", "SCOPES", "CREATED"],
            apps.map { [$0.name, $0.clientID, scopes($0), $0.createdAt.map(TunnelText.time) ?? "-"] })
    }

    static func details(_ app: AppRecord) -> String {
        TextTable.details([
            ("name", app.name), ("client id", app.clientID), ("scopes", scopes(app)),
            ("created", app.createdAt.map(TunnelText.time)), ("last used", app.lastUsedAt.map(TunnelText.time)),
        ])
    }

    private static func scopes(_ app: AppRecord) -> String { app.scopes.map(\.rawValue).joined(separator: ",") }
}
