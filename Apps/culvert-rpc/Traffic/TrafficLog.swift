internal import Synchronization
internal import TunnelDomain

/// What this process has seen of third parties, and those who wait for more.
final class TrafficLog: Sendable {
    private struct Waiter {
        var filter: RequestFilter
        var continuation: CheckedContinuation<CapturedRequest?, Never>
    }

    private struct State {
        var ring: CaptureRing
        var waiters: [UInt64: Waiter] = [:]
        var lastWaiter: UInt64 = 0
        /// Waiters that were cancelled before they began to wait.
        var gone: Set<UInt64> = []
    }

    private let state: Mutex<State>
    private let bodyByteCountMax: Int
    private let tell: @Sendable (Notice) -> Void

    init(limits: Limits, tell: @escaping @Sendable (Notice) -> Void) {
        bodyByteCountMax = limits[.capturedBodyBytes]
        self.tell = tell
        state = Mutex(
            State(ring: CaptureRing(countMax: limits[.capturedRequests], byteCountMax: limits[.capturedBytes])))
    }

    func body(_ bytes: [UInt8]) -> CapturedBody { CapturedBody(bytes, keeping: bodyByteCountMax) }

    func begin(_ request: CapturedRequest) -> Int { state.withLock { $0.ring.append(request) } }

    func finish(_ sequence: Int, _ outcome: CapturedRequest.Outcome) {
        let (request, waiters) = state.withLock { state -> (CapturedRequest?, [Waiter]) in
            guard let request = state.ring.finish(sequence, outcome) else { return (nil, []) }
            let met = state.waiters.filter { $0.value.filter.matches(request) }
            for number in met.keys { state.waiters[number] = nil }
            return (request, Array(met.values))
        }
        guard let request else { return }
        for waiter in waiters { waiter.continuation.resume(returning: request) }
        tell(.requestFinished(request, agent: request.agent))
    }

    func request(_ sequence: Int) -> CapturedRequest? { state.withLock { $0.ring.request(sequence) } }

    /// Newest first.
    func requests(_ filter: RequestFilter, countMax: Int) -> [CapturedRequest] {
        let all = state.withLock { $0.ring.requests }
        return Array(all.reversed().lazy.filter { filter.matches($0) }.prefix(countMax))
    }

    var lastSequence: Int { state.withLock { $0.ring.lastSequence } }

    /// The first finished request after a sequence number that is meant: one that is there, or the next one that comes.
    ///
    /// - Returns: nil when the time is up.
    /// - Throws: `CancellationError` when the task is cancelled.
    func wait(for filter: RequestFilter, after sequence: Int, seconds: Double) async throws -> CapturedRequest? {
        let number = state.withLock { state in
            state.lastWaiter += 1
            return state.lastWaiter
        }
        let timer = Task { [self] in
            try await Task.sleep(for: .seconds(seconds))
            giveUp(number)
        }
        defer { timer.cancel() }
        let found = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let (isDone, request) = state.withLock { state -> (Bool, CapturedRequest?) in
                    if state.gone.remove(number) != nil { return (true, nil) }
                    let request = state.ring.requests.first {
                        $0.sequence > sequence && $0.outcome != nil && filter.matches($0)
                    }
                    if request == nil { state.waiters[number] = Waiter(filter: filter, continuation: continuation) }
                    return (request != nil, request)
                }
                if isDone { continuation.resume(returning: request) }
            }
        } onCancel: {
            giveUp(number)
        }
        state.withLock { _ = $0.gone.remove(number) }
        try Task.checkCancellation()
        return found
    }

    private func giveUp(_ number: UInt64) {
        let waiter = state.withLock { state in
            if state.waiters[number] == nil { state.gone.insert(number) }
            return state.waiters.removeValue(forKey: number)
        }
        waiter?.continuation.resume(returning: nil)
    }
}
