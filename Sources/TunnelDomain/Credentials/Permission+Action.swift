extension Permission {
    /// Everything that a call can be, in the words of the audit log where both exist (control plane, sections 3 to 8).
    public enum Action: String, Hashable, Sendable, CaseIterable {
        case createTunnel = "tunnel.create"
        case listTunnels = "tunnel.list"
        case readTunnel = "tunnel.read"
        case updateTunnel = "tunnel.update"
        case deleteTunnel = "tunnel.delete"
        case restoreTunnel = "tunnel.restore"
        case forceDeleteTunnel = "tunnel.force_delete"
        case rotateConnectSecret = "secret.rotate"
        case signCertificate = "cert.sign"
        case createIdentity = "identity.create"
        case listIdentities = "identity.list"
        case readIdentity = "identity.read"
        case updateIdentity = "identity.update"
        case deleteIdentity = "identity.delete"
        case rotateSigningKey = "signing_key.rotate"
        case readSigningKey = "signing_key.read"
        case createIdentityKey = "key.create"
        case createAdminKey = "key.create_admin"
        case listKeys = "key.list"
        case revokeKey = "key.revoke"
        /// Another's key, without its rotation secret.
        case rotateKey = "key.rotate_any"
        case rotateOwnKey = "key.rotate"
        case askWhoAmI = "whoami.read"
        case createApp = "app.create"
        case readApps = "app.read"
        case deleteApp = "app.delete"
        case rotateClientSecret = "app.rotate_secret"
        case readAudit = "audit.read"
        case readEvents = "event.read"
        case readWebhooks = "webhook.read"
        case writeWebhooks = "webhook.write"
        /// An agent's hello on the data plane.
        case connectAgent = "agent.connect"
    }
}
