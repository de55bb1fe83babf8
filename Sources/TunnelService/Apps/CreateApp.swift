package import TunnelDomain

/// Makes a machine client of the organization, with a secret that is shown once.
package struct CreateApp: Sendable {
    package struct Request: Sendable, Hashable {
        package let name: String
        package let scopes: Set<Scope>

        package init(name: String, scopes: Set<Scope>) {
            self.name = name
            self.scopes = scopes
        }
    }

    package struct Created: Sendable {
        package let app: AppRecord
        /// The only copy outside the caller's hands is this one.
        package let clientSecret: String
    }

    private let ports: ServicePorts
    private let rules: ServiceRules

    package init(ports: ServicePorts, rules: ServiceRules) {
        self.ports = ports
        self.rules = rules
    }

    package func decide(
        _ request: Request, by call: CallContext, in store: any StoreWriting, at now: Timestamp
    ) throws -> Change<Created> {
        try call.require(.createApp)
        try check(name: request.name)
        try call.requireNoExcess(of: .app(request.scopes))
        guard try store.appCount(of: call.organizationID) < rules.appsMax else { throw Refusal.tooManyApps(max: rules.appsMax) }

        let secret = ports.newClientSecret()
        let app = AppRecord(
            id: AppID(randomBytes: ports.randomness.bytes(16)), organizationID: call.organizationID, name: request.name,
            scopes: request.scopes, secretHash: ports.hasher.hash(ofSecret: secret),
            secretLast4: SecretFormat.last4(of: secret), createdBy: call.actor.id, createdAt: now, updatedAt: now)
        try store.insert(app)
        try AuditTrail(ports: ports).append(
            .appCreate, .app, app.id.text, by: call, in: store, at: now,
            details: [EventDraft.Member("name", app.name), EventDraft.Member("scopes", app.scopes.text)])
        return Change(Created(app: app, clientSecret: secret))
    }

    private func check(name: String) throws(Refusal) {
        do throws(AppFieldError) { try AppFields.check(name: name) } catch { throw .appField(error) }
    }
}

extension ServicePorts {
    func newClientSecret() -> String {
        SecretFormat.clientSecret(randomBytes: randomness.bytes(SecretFormat.clientSecretByteCount))
    }
}
