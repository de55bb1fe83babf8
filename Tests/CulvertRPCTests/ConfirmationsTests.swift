import TestSupport
import Testing
import TunnelDomain
import TunnelWire

@testable import culvert_rpc

struct ConfirmationsTests {
    private let now = Timestamp(secondsSinceEpoch: 1_000_000)
    private let arguments = JSON.members(["a": .integer(1), "b": .members(["c": .null, "d": .integer(2)])])

    private func planned() -> (Confirmations, String) {
        var (confirmations, random) = (Confirmations(), SeededGenerator(seed: 1))
        let plan = confirmations.plan("delete", arguments, at: now, using: &random)
        return (confirmations, plan.token)
    }

    @Test func `a token is good once, whatever the order of the members`() throws {
        var (confirmations, token) = planned()
        let other = JSON.members(["b": .members(["d": .integer(2), "c": .null]), "a": .integer(1)])
        try confirmations.redeem(token, for: "delete", other, at: now)
        #expect(throws: Confirmations.Refusal.unknown) { try confirmations.redeem(token, for: "delete", arguments, at: now) }
    }

    @Test func `a token is for its tool and its arguments, and stays good when it is used wrongly`() throws {
        var (confirmations, token) = planned()
        #expect(throws: Confirmations.Refusal.otherPlan) { try confirmations.redeem(token, for: "rotate", arguments, at: now) }
        #expect(throws: Confirmations.Refusal.otherPlan) {
            try confirmations.redeem(token, for: "delete", .object([]), at: now)
        }
        try confirmations.redeem(token, for: "delete", arguments, at: now)
    }

    @Test func `a token ends with its time`() throws {
        var (confirmations, token) = planned()
        let end = now + confirmations.lifetime
        #expect(throws: Confirmations.Refusal.expired) {
            try confirmations.redeem(token, for: "delete", arguments, at: end + .microseconds(1))
        }
        (confirmations, token) = planned()
        try confirmations.redeem(token, for: "delete", arguments, at: end)
    }

    @Test func `tokens are long, different and bounded in number`() {
        var (confirmations, random) = (Confirmations(), SeededGenerator(seed: 1))
        let tokens = (0...Confirmations.countMax).map { _ in confirmations.plan("t", arguments, at: now, using: &random).token }
        #expect(Set(tokens).count == tokens.count && tokens.allSatisfy { $0.utf8.count == 32 })
        #expect(throws: Confirmations.Refusal.unknown) { try confirmations.redeem(tokens[0], for: "t", arguments, at: now) }
        #expect(throws: Never.self) { try confirmations.redeem(tokens[1], for: "t", arguments, at: now) }
    }
}
