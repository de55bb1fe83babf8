/// Who may be called next: a bounded number of webhook deliveries is under way, and slow receivers hold up nobody else.
///
/// The next slot goes to the organization that has the fewest, and among equals to the one that has waited longest; within
/// an organization to its subscriptions by the same rule. So an organization whose receivers answer nothing keeps at most its
/// own bound of slots, and everybody else is served as soon as any slot is free.
public struct DeliverySlots: Sendable {
    /// One subscription that has something to deliver.
    public struct Candidate: Hashable, Sendable {
        public let subscription: UUIDValue
        public let organization: OrganizationID

        /// A subscription and its owner, as they are.
        public init(subscription: UUIDValue, organization: OrganizationID) {
            self.subscription = subscription
            self.organization = organization
        }
    }

    /// How many may be under way at once.
    public struct Limits: Hashable, Sendable {
        public var total = 64
        public var perOrganization = 8
        public var perSubscription = 4

        /// The defaults: 64 in all, 8 for an organization, 4 for a subscription.
        public init() {}
    }

    private struct Usage {
        var count = 0
        /// The turn in which it was last given a slot.
        var lastTurn = 0
    }

    private let limits: Limits
    private var turn = 0
    private var organizations: [OrganizationID: Usage] = [:]
    private var subscriptions: [UUIDValue: Usage] = [:]
    /// Slots that are taken.
    public private(set) var count = 0

    /// Nothing under way yet.
    public init(limits: Limits) { self.limits = limits }

    /// Gives a slot to one of the candidates, or to none when all slots that they may have are taken.
    public mutating func take(from candidates: some Sequence<Candidate>) -> Candidate? {
        guard count < limits.total else { return nil }
        let fitting = candidates.filter {
            organization($0).count < limits.perOrganization && subscription($0).count < limits.perSubscription
        }
        guard let chosen = fitting.min(by: { rank($0) < rank($1) }) else { return nil }
        turn += 1
        count += 1
        organizations[chosen.organization, default: Usage()].count += 1
        organizations[chosen.organization]?.lastTurn = turn
        subscriptions[chosen.subscription, default: Usage()].count += 1
        subscriptions[chosen.subscription]?.lastTurn = turn
        return chosen
    }

    /// Frees a slot that was taken.
    public mutating func release(_ candidate: Candidate) {
        precondition(organization(candidate).count > 0 && subscription(candidate).count > 0, "only a taken slot is released")
        count -= 1
        organizations[candidate.organization]?.count -= 1
        subscriptions[candidate.subscription]?.count -= 1
        if subscriptions.count > Self.rememberedCountMax { forgetIdle() }
    }

    /// The turns of so many subscriptions are remembered, idle ones included.
    private static let rememberedCountMax = 10_000

    private mutating func forgetIdle() {
        organizations = organizations.filter { $0.value.count > 0 }
        subscriptions = subscriptions.filter { $0.value.count > 0 }
    }

    private func organization(_ candidate: Candidate) -> Usage { organizations[candidate.organization] ?? Usage() }
    private func subscription(_ candidate: Candidate) -> Usage { subscriptions[candidate.subscription] ?? Usage() }

    private func rank(_ candidate: Candidate) -> (Int, Int, Int, Int) {
        let (organization, subscription) = (organization(candidate), subscription(candidate))
        return (organization.count, organization.lastTurn, subscription.count, subscription.lastTurn)
    }
}
