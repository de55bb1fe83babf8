internal import TunnelDomain
internal import TunnelWire

/// Tokens that stand for a plan: what a tool would do, looked at before it is done.
///
/// A token is good once, for the tool and the arguments that it was made for, and not for long.
struct Confirmations: Sendable {
    /// Plans that are open at a time; the oldest make room.
    static let countMax = 64

    enum Refusal: Error, Hashable {
        case unknown, expired
        /// The plan was for another tool or for other arguments.
        case otherPlan
    }

    private struct Plan {
        var token: String
        var tool: String
        var arguments: JSON
        var expiresAt: Timestamp
    }

    /// How long a token is good: `confirm-seconds`.
    let lifetime: Duration
    private var plans: [Plan] = []

    init(lifetime: Duration = .seconds(Limits.Name.confirmSeconds.standard)) { self.lifetime = lifetime }

    /// Makes a token of 128 random bits.
    mutating func plan(
        _ tool: String, _ arguments: JSON, at now: Timestamp, using random: inout some RandomNumberGenerator
    ) -> (token: String, expiresAt: Timestamp) {
        plans.removeAll { $0.expiresAt < now }
        if plans.count >= Self.countMax { plans.removeFirst() }
        let token = (0..<2).map { _ in
            let digits = String(random.next() as UInt64, radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }.joined()
        let expiresAt = now + lifetime
        plans.append(Plan(token: token, tool: tool, arguments: Self.canonical(arguments), expiresAt: expiresAt))
        return (token, expiresAt)
    }

    /// Uses a token up.
    mutating func redeem(_ token: String, for tool: String, _ arguments: JSON, at now: Timestamp) throws(Refusal) {
        guard let index = plans.firstIndex(where: { $0.token == token }) else { throw .unknown }
        let plan = plans[index]
        guard plan.tool == tool, plan.arguments == Self.canonical(arguments) else { throw .otherPlan }
        plans.remove(at: index)
        guard now <= plan.expiresAt else { throw .expired }
    }

    /// The same members in another order are the same arguments.
    private static func canonical(_ value: JSON) -> JSON {
        switch value {
        case .object(let members):
            .object(members.map { JSONMember($0.name, canonical($0.value)) }.sorted { $0.name < $1.name })
        case .array(let elements): .array(elements.map(canonical))
        case .string, .number, .bool, .null: value
        }
    }
}
