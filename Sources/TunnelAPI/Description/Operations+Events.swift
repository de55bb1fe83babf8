internal import TunnelDomain
internal import TunnelService
internal import TunnelWire

extension APIOperation {
    /// Control plane, section 7.
    static let events: [APIOperation] = [
        APIOperation(
            "GET", "/api/v1/events", "followEvents", .events, "Follow what happens",
            """
            A stream of server-sent events (WHATWG HTML, section 9.2) that does not end by itself. Each has a number as its \
            `id`, its type as `event`, and an `Event` object as `data`. A client that comes back with the last id gets what \
            it has missed. When the log does not reach back that far, or never gave that id, the first is `log.truncated`.
            """,
            access: .permitted(.readEvents),
            parameters: [
                APIParameter(
                    "Last-Event-ID", in: .header, .eventNumber, "The last id that was received; empty counts as none."),
                APIParameter("last_event_id", .eventNumber, "The same, for clients that cannot set the header."),
                APIParameter(
                    "types", .string.example("tunnel.*,cert.expiring"),
                    "Only these, separated by commas: a type, all of a noun as `tunnel.*`, or `*`."),
            ],
            answers: [
                DescribedAnswer(
                    200, "The stream; the next event when no id was given.",
                    .init(type: ServerSentEvent.contentType, schema: .ref(.event))),
                .problem(422, "An id or a type is not right."),
                .problem(429, "The organization has as many streams open as it may.", headers: [.retryAfter]),
            ])
    ]
}

extension NamedSchema {
    static let event = NamedSchema(
        "Event", "Something that happened.",
        [
            SchemaProperty("id", .uuid, "Unique identifier; the same in the log, on streams and in webhooks."),
            SchemaProperty("type", .oneOf(EventType.allCases.map(\.rawValue) + [EventDocument.gapType]), "What happened."),
            SchemaProperty("occurred_at", .time, "When."),
            SchemaProperty("organization_id", .organizationID, "To whom."),
            SchemaProperty("identity_id", .uuid.orNull, "The identity that it is about, or that owns what it is about."),
            SchemaProperty("tunnel_id", .uuid.orNull, "The tunnel that it is about."),
            SchemaProperty("data", .anyObject, "More about it; members are added over time."),
        ])
}

extension JSONSchema {
    fileprivate static let eventNumber = string(pattern: "^[0-9]*$").example("4711")
}
