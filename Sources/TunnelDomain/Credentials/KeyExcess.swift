/// What a new credential could do that its maker may not: for as long as there is something, it is not made.
public struct KeyExcess: Hashable, Sendable {
    /// The scopes that the maker lacks, in a fixed order.
    public let scopes: [KeyScope]
    /// The tunnels that the maker may not connect agents for.
    public let tunnels: Set<TunnelID>
    /// Whether it could be used from where the maker may not be.
    public let isFromElsewhere: Bool
}

extension Permission {
    /// Compares a credential that somebody wants to have with what he may himself; nil when it could do nothing more.
    ///
    /// An identity's self-rotation is left out: it takes the rotation secret, which nobody gets who may not have the key.
    ///
    /// - Parameters:
    ///   - kind: Whose the new credential would be.
    ///   - bounds: What it would be narrowed to.
    ///   - maker: Who would get to see it, of the same organization.
    public static func excess(
        of kind: Principal.Kind, _ bounds: KeyBounds, over maker: Principal
    ) -> KeyExcess? {
        let wanted = Principal(organizationID: maker.organizationID, kind: kind, bounds: bounds)
        // To connect for single tunnels is told by these and not by the scope for all of them.
        let connectsSingly = bounds.scopes.map { !$0.words.contains(.connectAgents) } ?? false
        let lacking = Action.allCases.filter { action in
            guard action != .rotateOwnKey, !(action == .connectAgent && connectsSingly) else { return false }
            return decide(wanted, action) == .allow && !doesEverywhere(maker, action)
        }
        let scopes = Set(lacking.compactMap { keyScope(of: $0) })
        let tunnels =
            connectsSingly && !doesEverywhere(maker, .connectAgent)
            ? (bounds.scopes?.tunnels ?? []).subtracting(maker.bounds.scopes?.tunnels ?? []) : []
        let isFromElsewhere = !bounds.reachesNoFurther(than: maker.bounds)
        guard !scopes.isEmpty || !tunnels.isEmpty || isFromElsewhere || !isOfOrganization(maker) else { return nil }
        return KeyExcess(
            scopes: scopes.sorted { $0.rawValue < $1.rawValue }, tunnels: tunnels, isFromElsewhere: isFromElsewhere)
    }

    private static func doesEverywhere(_ principal: Principal, _ action: Action) -> Bool {
        guard row(of: action).adminKey == .organization, isOfOrganization(principal) else { return false }
        guard let scopes = principal.bounds.scopes, let needed = keyScope(of: action) else { return true }
        return scopes.words.contains(needed)
    }

    /// Only keys of a whole organization make keys; others reach less, whatever they are asked for.
    private static func isOfOrganization(_ principal: Principal) -> Bool { principal.kind == .adminKey }
}
