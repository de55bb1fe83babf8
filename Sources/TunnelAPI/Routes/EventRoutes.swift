internal import HTTPTransport
internal import TunnelDomain
internal import TunnelService
internal import TunnelWire

/// `GET /api/v1/events` (control plane, section 7).
struct EventRoutes: Sendable {
    let ports: ServicePorts
    let rules: ServiceRules

    var routes: [Route] {
        [
            Route(
                method: "GET", pattern: RoutePattern("/api/v1/events"), access: .permitted(.readEvents), body: .unused,
                handler: .stream(follow))
        ]
    }

    @Sendable private func follow(_ call: APICall, _ watch: StreamWatch) async throws -> APIAnswer {
        let query = try EventQuery(call)
        let subscription = try await FollowEvents(ports: ports, limits: rules.events)(
            from: query.start, query.filter, by: call.context)
        var answer = APIAnswer(status: 200, body: EventStreamBody.opening)
        answer.fields.append("content-type", ServerSentEvent.contentType)
        // Proxies that gather answers would hold events back.
        answer.fields.append(name: "x-accel-buffering", value: "no")
        answer.rest = EventStreamBody(subscription: subscription, ports: ports, watch: watch)
        return answer
    }
}

/// What a stream was asked for.
struct EventQuery {
    var start = FollowEvents.Start.now
    var filter = EventFilter.everything

    init(_ call: APICall) throws(Problem) {
        var errors: [FieldError] = []
        // A browser sends the header when it connects again, and the query stays as it was at first.
        let places = [
            ("Last-Event-ID", call.fields.first(.lastEventId)),
            ("?last_event_id", call.target.firstValue(of: "last_event_id")),
        ]
        if let (pointer, text) = places.first(where: { $0.1?.isEmpty == false }) {
            if let number = text.flatMap(Int64.init(eventID:)) {
                start = .after(number)
            } else {
                errors.append(FieldError(pointer, "It is not the id of an event; send the last one as it was given."))
            }
        }
        if let text = call.target.firstValue(of: "types") {
            do throws(UnknownEventType) {
                filter = try EventFilter(text.split(separator: ",", omittingEmptySubsequences: false).map(String.init))
            } catch {
                let wish = "is no type of event; tunnel.created, tunnel.* and * are."
                errors.append(FieldError("?types", "“\(error.pattern)” \(wish)"))
            }
        }
        guard errors.isEmpty else { throw Problem(invalid: errors) }
    }
}

extension Int64 {
    /// The number of an event as it stands in an id: digits only.
    fileprivate init?(eventID text: String) {
        guard !text.isEmpty, text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else { return nil }
        self.init(text)
    }
}

/// An organization's events as `text/event-stream`.
struct EventStreamBody: ResponseBodySource {
    /// How long a client waits before it comes back.
    static let retryMilliseconds = 2_000

    let subscription: EventSubscription
    let ports: ServicePorts
    let watch: StreamWatch

    static var opening: [UInt8] {
        var bytes: [UInt8] = []
        ServerSentEvent.append(retryMilliseconds: retryMilliseconds, to: &bytes)
        return bytes
    }

    func next() async -> [UInt8]? {
        do {
            return try await subscription.next(whileAllowed: watch.isStillAllowed).map(bytes)
        } catch {
            // The client comes back and goes on where it was.
            watch.noteFault(error)
            return nil
        }
    }

    func cancel() { subscription.cancel() }

    private func bytes(_ news: EventSubscription.News) -> [UInt8] {
        var bytes: [UInt8] = []
        switch news {
        case .events(let events):
            for event in events {
                ServerSentEvent(id: String(event.sequence), name: event.type.rawValue, data: event.documentJSON)
                    .append(to: &bytes)
            }
        case .gap(let gap, let place):
            let document = EventDocument(
                gap, id: UUIDValue(randomBytes: ports.randomness.bytes(16)), of: subscription.organizationID,
                at: ports.clock.now)
            ServerSentEvent(id: String(place), name: EventDocument.gapType, data: document.json).append(to: &bytes)
        case .silence(let place):
            ServerSentEvent.append(comment: "keep-alive", id: String(place), to: &bytes)
        }
        return bytes
    }
}
