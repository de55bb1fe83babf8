/// The calls of the control plane (Docs/openapi.json, by `operationId`), and who makes them. A test holds this table against
/// the API's description, so that no call is forgotten.
enum ControlPlane {
    static let operationsOfMethods: [String: [String]] = [
        "tunnels.list": ["listTunnels"], "tunnels.get": ["getTunnel"], "tunnels.create": ["createTunnel"],
        "tunnels.update": ["updateTunnel"], "tunnels.delete": ["deleteTunnel"], "tunnels.restore": ["restoreTunnel"],
        "tunnels.forceDelete": ["forceDeleteTunnel"], "tunnels.rotateSecret": ["rotateConnectSecret"],
        "tunnels.signCSR": ["signCSR"],
        "whoami": ["whoAmIVersioned"],
        "identities.list": ["listIdentities"], "identities.get": ["getIdentity"], "identities.create": ["createIdentity"],
        "identities.update": ["updateIdentity"], "identities.delete": ["deleteIdentity"],
        "identities.signingKey": ["getSigningKeyStatus"], "identities.rotateSigningKey": ["rotateSigningKey"],
        "keys.list": ["listAPIKeys"], "keys.get": ["getAPIKey"], "keys.create": ["createAPIKey"],
        "keys.revoke": ["revokeAPIKey"], "keys.rotate": ["rotateAPIKey"], "keys.rotateOwn": ["rotateOwnKeyVersioned"],
        "apps.list": ["listApps"], "apps.get": ["getApp"], "apps.create": ["createApp"], "apps.delete": ["deleteApp"],
        "apps.rotateSecret": ["rotateClientSecret"],
        "audit.list": ["listAuditEvents"], "events.follow": ["followEvents"],
        "webhooks.list": ["listWebhooks"], "webhooks.get": ["getWebhook"], "webhooks.create": ["createWebhook"],
        "webhooks.update": ["updateWebhook"], "webhooks.delete": ["deleteWebhook"],
        "webhooks.rotateSecret": ["rotateWebhookSecret"], "webhooks.deliveries": ["listDeliveries"],
        "webhooks.delivery": ["getDelivery"], "webhooks.replay": ["replayDelivery"],
    ]

    /// Calls that no method makes, and why.
    static let reasonsForNone: [String: String] = [
        "getHealth": "for those who watch the server, who have no API key",
        "getReadiness": "for those who watch the server, who have no API key",
        "getMetrics": "for those who watch the server, who have no API key",
        "getDescription": "describes the REST API; rpc.discover describes this one",
        "whoAmI": "whoAmIVersioned under the path of an older client",
        "rotateOwnKey": "rotateOwnKeyVersioned under the path of an older client",
        "rotateOwnKeyUnversioned": "rotateOwnKeyVersioned under the path of an older client",
        "getOwnSigningKeyStatus": "getSigningKeyStatus of the key's own identity",
        "rotateOwnSigningKey": "rotateSigningKey of the key's own identity",
        "rotateClientSecretOfConnectApp": "rotateClientSecret under the path of an older client",
    ]
}
