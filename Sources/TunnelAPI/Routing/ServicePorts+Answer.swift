internal import TunnelDomain
internal import TunnelService

extension ServicePorts {
    /// Runs a use case in one transaction, in which its answer is also kept, if there is a keeper.
    ///
    /// A refusal is an answer too: it is final for this key, and nothing was written before it.
    func answer(
        _ call: APICall, _ keeper: AnswerKeeper? = nil,
        _ decide: @Sendable (any StoreWriting, Timestamp) throws -> Change<APIAnswer>
    ) async throws -> APIAnswer {
        guard let keeper else { return try await commit(decide) }
        return try await commit { store, now in
            let change: Change<APIAnswer>
            do {
                change = try decide(store, now)
            } catch let refusal as Refusal {
                change = Change(APIAnswer(Problem(refusal), requestID: call.context.requestID))
            }
            try keeper.keep(change.answer.kept, in: store, at: now)
            return change
        }
    }
}
