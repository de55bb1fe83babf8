internal import FoundationEssentials

/// What happens at the service, as it happens; it connects again by itself and goes on behind the last event it gave.
///
/// ```swift
/// for try await event in client.events(types: ["tunnel.connected"]) { … }
/// ```
/// It ends with an error that no repetition mends, when its task is cancelled and, if it is not to follow, once everything is
/// given that had happened when it connected. How often the first connection is tried is for the client's ``RetryPolicy`` to
/// say, and so it is for every connection of a feed that does not follow.
public struct EventFeed: AsyncSequence, Sendable {
    /// One event.
    public typealias Element = ServiceEvent
    /// What no repetition mends.
    public typealias Failure = ClientError

    /// What becomes of the connection below, for those who show it.
    public enum Notice: Sendable, Hashable {
        /// The server has taken the request: what happens from now on is not missed.
        case connected
        /// Everything that lay behind the id to begin from has been given.
        case caughtUp
        /// The connection ended; it is made again after the pause. Nil: the server closed it in good order.
        case interrupted(ClientError?, retryingAfter: Duration)
    }

    let client: CulvertClient
    let types: [EventType]
    let lastEventID: String?
    let isFollowing: Bool
    let notify: @Sendable (Notice) -> Void

    /// Connects when the first event is asked for.
    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(self) }

    /// Goes along with the stream.
    public struct AsyncIterator: AsyncIteratorProtocol {
        private let feed: EventFeed
        private var resumption: EventResumption
        private var stream: OpenStream?
        private var waiting: ArraySlice<ServiceEvent> = []
        private var hasConnected = false
        private var hasCaughtUp = false
        private var isAtEnd = false

        fileprivate init(_ feed: EventFeed) {
            self.feed = feed
            resumption = EventResumption(after: feed.lastEventID)
        }

        /// The next event, however long that takes; nil at the end of a feed that does not follow.
        public mutating func next(isolation actor: isolated (any Actor)?) async throws(ClientError) -> ServiceEvent? {
            while waiting.isEmpty {
                if isAtEnd {
                    stream = nil
                    return nil
                }
                do {
                    try await readOn()
                } catch {
                    try await rest(after: error)
                }
            }
            return waiting.popFirst()
        }

        /// The next event, however long that takes; nil at the end of a feed that does not follow.
        public mutating func next() async throws(ClientError) -> ServiceEvent? { try await next(isolation: nil) }
    }
}

extension CulvertClient {
    /// What happens at the service from now on, or from behind an event.
    ///
    /// - Parameters:
    ///   - types: only these; all of them when empty.
    ///   - lastEventID: the ``ServiceEvent/streamID`` to go on behind. Nil begins with what happens from now on.
    ///   - isFollowing: whether to stay when everything is given that has happened so far.
    ///   - notify: told of the connection's ups and downs.
    /// - Throws: from its iterator: 403 the key may not read events; 422 a type is unknown to the server.
    public func events(
        types: [EventType] = [], after lastEventID: String? = nil, isFollowing: Bool = true,
        notify: @escaping @Sendable (EventFeed.Notice) -> Void = { _ in }
    ) -> EventFeed {
        EventFeed(client: self, types: types, lastEventID: lastEventID, isFollowing: isFollowing, notify: notify)
    }
}

// MARK: - One connection

extension EventFeed.AsyncIterator {
    private struct OpenStream {
        var body: any StreamedBody
        var parser = ServerSentEventParser()
    }

    private nonisolated(nonsending) mutating func readOn() async throws(ClientError) {
        if stream == nil { stream = try await open() }
        guard let body = stream?.body else { return }
        let bytes: [UInt8]?
        do { bytes = try await body.next() } catch { throw CulvertClient.failure(error) }
        guard let bytes else {
            stream = nil
            return try await rest(after: nil)
        }
        try take(bytes)
    }

    private nonisolated(nonsending) mutating func open() async throws(ClientError) -> OpenStream {
        var query = Query()
        if !feed.types.isEmpty { query.append("types", feed.types.map(\.rawValue).joined(separator: ",")) }
        var request = try await feed.client.request(for: .get("/api/v1/events", query), accepting: "text/event-stream")
        if let id = resumption.lastEventID { request.fields.append(("last-event-id", id)) }
        let response: StreamedResponse
        do { response = try await feed.client.transport.stream(request) } catch { throw CulvertClient.failure(error) }
        try await Self.check(response)
        hasConnected = true
        feed.notify(.connected)
        return OpenStream(body: response.body)
    }

    private nonisolated(nonsending) static func check(_ response: StreamedResponse) async throws(ClientError) {
        var whole = ClientResponse(status: response.status, fields: response.fields)
        if response.status >= 400 {
            do {
                while whole.body.count < StreamedResponse.refusalByteCountMax, let bytes = try await response.body.next() {
                    whole.body += bytes
                }
            } catch { whole.body = [] }
        }
        try CulvertClient.checkStatus(whole)
        let type = whole.first("content-type") ?? ""
        guard type.lowercased().hasPrefix("text/event-stream") else {
            throw .unusableAnswer(status: whole.status, reason: "it is no stream of events. Is the server URL right?")
        }
    }

    private mutating func take(_ bytes: [UInt8]) throws(ClientError) {
        let output: [ServerSentEventOutput]?
        do { output = try stream?.parser.receive(bytes) } catch {
            throw .unusableAnswer(
                status: 200, reason: "an event is longer than \(ServerSentEventParser.eventByteCountMax) bytes")
        }
        for item in output ?? [] {
            switch item {
            case .event(let event):
                if resumption.isNew(event) { waiting.append(try ServiceEvent(event)) }
            case .comment:
                // Servers send one only when they have no event to send.
                resumption.receivedSignOfLife()
                if !hasCaughtUp { feed.notify(.caughtUp) }
                hasCaughtUp = true
                isAtEnd = !feed.isFollowing
            case .place(let id): resumption.moved(to: id)
            case .retry(let milliseconds): resumption.serverAsked(forPauseMilliseconds: milliseconds)
            }
        }
    }

    /// Waits before the next connection; a failure that no repetition mends goes to the caller.
    private nonisolated(nonsending) mutating func rest(after failure: ClientError?) async throws(ClientError) {
        stream = nil
        let attemptCountMax = hasConnected && feed.isFollowing ? nil : feed.client.retries.attemptCountMax
        guard let pause = resumption.pause(after: failure, attemptCountMax: attemptCountMax) else {
            throw failure ?? .noAnswer(.connectionLost(reason: "the server ended the stream before everything was told"))
        }
        if hasConnected { feed.notify(.interrupted(failure, retryingAfter: pause)) }
        do { try await feed.client.chance.sleep(pause) } catch { throw .cancelled }
    }
}

extension ServiceEvent {
    init(_ event: ReceivedEvent) throws(ClientError) {
        do {
            let document = try ClientJSON.decoder().decode([String: JSONValue].self, from: Data(event.data.utf8))
            self.init(streamID: event.lastEventID, type: EventType(rawValue: event.type), document: document)
            if case .string(let time)? = document["occurred_at"] { occurredAt = ClientJSON.time(time) }
        } catch {
            throw .unusableAnswer(status: 200, reason: "an event is not a JSON object")
        }
    }
}
