package import TunnelDomain

/// A request that carries an idempotency key.
package struct KeyedRequest: Sendable, Hashable {
    package let organizationID: OrganizationID
    package let key: IdempotencyKey
    /// A digest of method, path and body: equal for equal requests.
    package let fingerprint: [UInt8]

    package init(organizationID: OrganizationID, key: IdempotencyKey, fingerprint: [UInt8]) {
        self.organizationID = organizationID
        self.key = key
        self.fingerprint = fingerprint
    }
}

/// An answer as far as it is given again.
package struct KeptAnswer: Sendable, Hashable {
    package let status: Int
    package let body: [UInt8]

    package init(status: Int, body: [UInt8]) {
        self.status = status
        self.body = body
    }
}

/// Gives equal requests under one idempotency key one effect and one answer (control plane, section 2).
package struct AnswerOnce: Sendable {
    package enum Outcome<Answer: Sendable>: Sendable {
        case first(Answer)
        case replayed(KeptAnswer)
    }

    private let ports: ServicePorts
    private let inFlight: InFlightKeys

    package init(ports: ServicePorts, inFlight: InFlightKeys) {
        self.ports = ports
        self.inFlight = inFlight
    }

    /// Runs the work unless its answer is already kept.
    ///
    /// The work keeps its answer with the given keeper, in the very transaction that has the effect.
    package func callAsFunction<Answer: Sendable>(
        _ request: KeyedRequest, _ work: (AnswerKeeper) async throws -> Answer
    ) async throws -> Outcome<Answer> {
        let entry = InFlightKeys.Entry(organizationID: request.organizationID, key: request.key)
        guard inFlight.begin(entry) else { throw Refusal.keyInFlight }
        defer { inFlight.end(entry) }
        let keeper = AnswerKeeper(ports: ports, request: request)
        if let kept = try await ports.look({ store, now in try keeper.keptAnswer(in: store, at: now) }) {
            return .replayed(kept)
        }
        return .first(try await work(keeper))
    }

    /// The same for a caller who is not authenticated yet: that the key was used for another request is for the work to say,
    /// with `AnswerKeeper.requireFree`, when it has judged the caller.
    package func whereSame<Answer: Sendable>(
        _ request: KeyedRequest, _ work: (AnswerKeeper) async throws -> Answer
    ) async throws -> Outcome<Answer> {
        let entry = InFlightKeys.Entry(organizationID: request.organizationID, key: request.key)
        guard inFlight.begin(entry) else { throw Refusal.keyInFlight }
        defer { inFlight.end(entry) }
        let keeper = AnswerKeeper(ports: ports, request: request)
        do {
            let kept = try await ports.look { store, now in try keeper.keptAnswer(in: store, at: now) }
            if let kept { return .replayed(kept) }
        } catch Refusal.keyUsedForAnotherRequest {}
        return .first(try await work(keeper))
    }
}

/// Keeps one request's final answer, encrypted: it may show a secret.
package struct AnswerKeeper: Sendable {
    let ports: ServicePorts
    let request: KeyedRequest

    /// Keeps the answer if it is final; faults of the server and refusals that time alone lifts are not.
    package func keep(_ answer: KeptAnswer, in store: any StoreWriting, at now: Timestamp) throws {
        guard IdempotencyRecord.isFinal(status: answer.status) else { return }
        let sealed = try ports.sealer.seal(answer.body, context: sealingContext)
        try store.put(
            ReplayRecord(
                organizationID: request.organizationID, key: request.key.text, fingerprint: request.fingerprint,
                status: answer.status, sealedBody: sealed, createdAt: now))
    }

    /// Throws when the key was used for another request.
    package func requireFree(in store: any StoreReading, at now: Timestamp) throws {
        _ = try keptAnswer(in: store, at: now)
    }

    /// The answer to give again, or nil when the request is new.
    func keptAnswer(in store: any StoreReading, at now: Timestamp) throws -> KeptAnswer? {
        guard let row = try store.replay(of: request.key.text, for: request.organizationID) else { return nil }
        let record = IdempotencyRecord(
            restoring: request.key, requestFingerprint: row.fingerprint, firstUsedAt: row.createdAt,
            state: .done(status: row.status, storedBody: row.sealedBody))
        switch record.decide(requestFingerprint: request.fingerprint, at: now) {
        case .proceed: return nil
        case .mismatch: throw Refusal.keyUsedForAnotherRequest
        case .inFlight: throw Refusal.keyInFlight
        case .replay(let status, let storedBody):
            guard let body = ports.sealer.open(storedBody, context: sealingContext) else {
                throw Refusal.keptAnswerUnreadable
            }
            return KeptAnswer(status: status, body: body)
        }
    }

    /// Binds the sealed body to its place, so that rows cannot be swapped.
    private var sealingContext: [UInt8] {
        Array("idempotency\u{0}\(request.organizationID.text)\u{0}\(request.key.text)\u{0}".utf8) + request.fingerprint
    }
}
