internal import FoundationEssentials

extension CulvertClient {
    /// One call of the API, before it is a request.
    struct Call {
        enum Repeat {
            case never, always
            case withIdempotencyKey(String)
        }

        /// What the call proves itself with.
        enum Credential { case none, apiKey, bearerAPIKey }

        var method: String
        var path: String
        var query = Query()
        var body: [UInt8]?
        var repeating: Repeat = .never
        var credential: Credential = .apiKey

        /// A read, which may be repeated as often as need be.
        static func get(_ path: String, _ query: Query = Query()) -> Call {
            Call(method: "GET", path: path, query: query, repeating: .always)
        }

        var mayRepeat: Bool {
            switch repeating {
            case .never: false
            case .always, .withIdempotencyKey: true
            }
        }
    }

    /// A POST that creates or rotates: it carries an idempotency key, so that the server answers a repetition as it did the
    /// first time.
    func creation(_ path: String, body: [UInt8]? = nil, idempotencyKey: String? = nil) -> Call {
        Call(
            method: "POST", path: path, body: body,
            repeating: .withIdempotencyKey(idempotencyKey ?? chance.idempotencyKey()))
    }
}

// MARK: - Making a call

extension CulvertClient {
    /// Makes the call and reads its answer.
    func answer<Answer: Decodable>(_ type: Answer.Type, to call: Call) async throws(ClientError) -> Answer {
        try Self.read(type, from: try await perform(call))
    }

    /// Makes the call, whose answer says nothing.
    func acknowledgement(of call: Call) async throws(ClientError) {
        _ = try await perform(call)
    }

    static func read<Answer: Decodable>(_ type: Answer.Type, from response: ClientResponse) throws(ClientError) -> Answer {
        do {
            return try ClientJSON.decoder().decode(type, from: Data(response.body))
        } catch {
            throw .unusableAnswer(status: response.status, reason: Self.explain(error))
        }
    }

    /// The bytes of a request body.
    func encode(_ body: some Encodable) throws(ClientError) -> [UInt8] {
        do {
            return Array(try ClientJSON.encoder().encode(body))
        } catch {
            throw .refused(ServerRefusal(status: 422, detail: "the request cannot be written as JSON: \(Self.explain(error))"))
        }
    }

    func perform(_ call: Call) async throws(ClientError) -> ClientResponse {
        let request = try await request(for: call)
        var attempt = 1
        while true {
            let failure: ClientError
            do {
                return try await sendOnce(request)
            } catch {
                failure = error
            }
            guard call.mayRepeat, let pause = retries.pause(afterAttempt: attempt, failure: failure) else { throw failure }
            do { try await chance.sleep(pause) } catch { throw .cancelled }
            attempt += 1
        }
    }

    private func sendOnce(_ request: ClientRequest) async throws(ClientError) -> ClientResponse {
        let response: ClientResponse
        do { response = try await transport.send(request) } catch { throw Self.failure(error) }
        try Self.checkStatus(response)
        return response
    }

    func request(for call: Call, accepting type: String = "application/json") async throws(ClientError) -> ClientRequest {
        var fields: [(name: String, value: String)] = [("accept", type), ("user-agent", userAgent)]
        switch call.credential {
        case .none: break
        case .apiKey: fields.append(("x-api-key", try await apiKey.key()))
        case .bearerAPIKey: fields.append(("authorization", "Bearer " + (try await apiKey.key())))
        }
        if call.body != nil { fields.append(("content-type", "application/json")) }
        if case .withIdempotencyKey(let key) = call.repeating { fields.append(("idempotency-key", key)) }
        return ClientRequest(
            server: server, method: call.method, target: server.basePath + call.path + call.query.text, fields: fields,
            body: call.body ?? [])
    }
}

// MARK: - Reading what came of it

extension CulvertClient {
    /// What a transport threw, in this client's terms.
    static func failure(_ error: any Error) -> ClientError {
        switch error {
        case let failure as TransportFailure: .noAnswer(failure)
        case is CancellationError: .cancelled
        default: .noAnswer(.connectionLost(reason: "\(error)"))
        }
    }

    static func checkStatus(_ response: ClientResponse) throws(ClientError) {
        if response.status >= 400 { throw .refused(ServerRefusal(response)) }
        guard (200...299).contains(response.status) else {
            throw .unusableAnswer(status: response.status, reason: "a redirection; this API has none. Is the server URL right?")
        }
    }

    /// Says in a few words which member of an answer was wrong.
    static func explain(_ error: any Error) -> String {
        switch error {
        case DecodingError.keyNotFound(let key, _): "the member \"\(key.stringValue)\" is missing"
        case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context):
            "the member \"\(context.codingPath.map(\.stringValue).joined(separator: "."))\" has the wrong type"
        case DecodingError.dataCorrupted(let context): "it is not the expected JSON: \(context.debugDescription)"
        default: "it is not the expected JSON"
        }
    }
}
