/// What is limited by how often it succeeded within a window.
package enum CountedAction: String, Sendable, Hashable, CaseIterable {
    /// Counted for each organization.
    case tunnelCreate = "tunnel.create"
    /// Counted for each tunnel.
    case secretRotate = "secret.rotate"
    /// Counted for each tunnel.
    case certSign = "cert.sign"
    /// Counted for each identity; for the organization's own keys together.
    case keyRotate = "key.rotate"
}
