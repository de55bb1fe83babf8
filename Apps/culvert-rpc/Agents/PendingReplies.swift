internal import Synchronization
internal import TunnelAgent

/// Requests of third parties that wait for the client to answer them.
final class PendingReplies: Sendable {
    private enum Place {
        case waiting(CheckedContinuation<AgentResponse?, Never>)
        /// Answered, or given up, before the wait began.
        case over(AgentResponse?)
    }

    private let places = Mutex<[Int: Place]>([:])

    /// Waits for the answer; nil when the time is up.
    ///
    /// - Parameter announce: tells the client of the request, once an answer can be taken.
    /// - Throws: `CancellationError` when the third party has gone.
    func answer(to sequence: Int, seconds: Int, announce: @escaping @Sendable () -> Void) async throws -> AgentResponse? {
        let timer = Task { [self] in
            try await Task.sleep(for: .seconds(seconds))
            _ = settle(sequence, nil)
        }
        defer { timer.cancel() }
        let response = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let earlier = places.withLock { places -> AgentResponse?? in
                    if case .over(let response)? = places.removeValue(forKey: sequence) { return .some(response) }
                    places[sequence] = .waiting(continuation)
                    return nil
                }
                if let earlier { return continuation.resume(returning: earlier) }
                announce()
            }
        } onCancel: {
            // The wait may not have begun: then it ends as soon as it does.
            if !settle(sequence, nil) { places.withLock { $0[sequence] = .over(nil) } }
        }
        places.withLock { _ = $0.removeValue(forKey: sequence) }
        try Task.checkCancellation()
        return response
    }

    /// Gives a request its answer; false when none waits under this number.
    func settle(_ sequence: Int, _ response: AgentResponse?) -> Bool {
        let place = places.withLock { places -> Place? in
            guard case .waiting? = places[sequence] else { return nil }
            return places.removeValue(forKey: sequence)
        }
        guard case .waiting(let continuation)? = place else { return false }
        continuation.resume(returning: response)
        return true
    }
}
