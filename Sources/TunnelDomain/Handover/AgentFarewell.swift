/// When an agent may be told to go to the process that has taken over (data plane, section 8).
///
/// Agents differ in what they do with the work that they have. One that is told too early loses some; one that is told too
/// late leaves its tunnel's new requests waiting, because those are with the successor already.
public enum AgentFarewell: Hashable, Sendable, CaseIterable {
    /// Finishes on the old connection what it has begun there, while it serves on the new one: Culvert's own agent.
    case finishesHere
    /// Answers on the new connection what it has not begun to answer, and loses the rest: SDK 0.7.
    case answersElsewhere
    /// Drops whatever it has: SDK 0.3.
    case dropsWork

    /// How long an agent that answers elsewhere is spared the move for the sake of requests that it has not begun to answer.
    public static let patience: Duration = .seconds(3)

    /// Whether the agent may be told now.
    ///
    /// - Parameters:
    ///   - inFlightCount: requests that it has and whose reply is not complete.
    ///   - passingCount: those of them whose body or reply is on its way.
    ///   - bridgeCount: WebSockets and TCP streams that it carries.
    ///   - waited: since the successor serves.
    public func mayBeTold(inFlightCount: Int, passingCount: Int, bridgeCount: Int, waited: Duration) -> Bool {
        switch self {
        case .finishesHere: true
        case .answersElsewhere:
            bridgeCount == 0 && (inFlightCount == 0 || passingCount == 0 && waited >= Self.patience)
        case .dropsWork: bridgeCount == 0 && inFlightCount == 0
        }
    }
}
