internal import TunnelDomain

/// Tells whether somebody is the app that they say they are.
package struct AuthenticateApp: Sendable {
    /// An app's last use is written down at most this often.
    package static let touchIntervalSecondsMin: Int64 = 60
    /// What a secret is compared with when there is no app, so that both cases cost the same.
    private static let noHash = [UInt8](repeating: 0, count: 32)

    private let ports: ServicePorts

    package init(ports: ServicePorts) { self.ports = ports }

    /// A bad id, an unknown one and a wrong secret all cost one hash, one look-up and one comparison.
    package func judge(id idText: String, secret: String) async throws -> Authentication<AppRecord> {
        let hash = ports.hasher.hash(ofSecret: secret)
        let id = AppID(idText) ?? AppID(UUIDValue(high: 0, low: 0))
        let (found, now) = try await ports.look { store, now in (try store.app(id), now) }
        let isRight = constantTimeEquals(hash, found?.secretHash ?? Self.noHash)
        guard let found else { return .unknown }
        guard isRight else { return .refused(found, reason: "the client secret is wrong") }
        await touch(found, at: now)
        return .accepted(found)
    }

    private func touch(_ app: AppRecord, at now: Timestamp) async {
        if let last = app.lastUsedAt, last <= now, now - last < .seconds(Self.touchIntervalSecondsMin) { return }
        // A store that takes no writes must not keep callers from reading.
        try? await ports.store.write { store in try store.touchApp(app.id, at: now) }
    }
}
