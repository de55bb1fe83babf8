import Testing
import TunnelDomain

struct AgentFarewellTests {
    private static let late = AgentFarewell.patience
    private static let early: Duration = .zero

    @Test func `our agent goes at once, whatever it has`() {
        #expect(AgentFarewell.finishesHere.mayBeTold(inFlightCount: 9, passingCount: 9, bridgeCount: 9, waited: Self.early))
    }

    @Test(arguments: AgentFarewell.allCases)
    func `an idle agent goes at once`(farewell: AgentFarewell) {
        #expect(farewell.mayBeTold(inFlightCount: 0, passingCount: 0, bridgeCount: 0, waited: Self.early))
    }

    @Test(arguments: [AgentFarewell.answersElsewhere, .dropsWork])
    func `an agent that would lose a bridge waits for its end`(farewell: AgentFarewell) {
        #expect(!farewell.mayBeTold(inFlightCount: 0, passingCount: 0, bridgeCount: 1, waited: Self.late))
    }

    @Test func `an agent that answers elsewhere is spared for a while, and never in the middle of a body`() {
        let sdk = AgentFarewell.answersElsewhere
        #expect(!sdk.mayBeTold(inFlightCount: 1, passingCount: 0, bridgeCount: 0, waited: Self.late - .nanoseconds(1)))
        #expect(sdk.mayBeTold(inFlightCount: 1, passingCount: 0, bridgeCount: 0, waited: Self.late))
        #expect(!sdk.mayBeTold(inFlightCount: 2, passingCount: 1, bridgeCount: 0, waited: Self.late))
    }

    @Test func `an agent that drops its work finishes all of it first`() {
        #expect(!AgentFarewell.dropsWork.mayBeTold(inFlightCount: 1, passingCount: 0, bridgeCount: 0, waited: .seconds(1_000)))
    }
}
