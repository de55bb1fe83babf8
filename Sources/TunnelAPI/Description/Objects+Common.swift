internal import TunnelDomain
internal import TunnelService
internal import TunnelWire

extension NamedSchema {
    static let problem = NamedSchema(
        "Problem", "Why a request was not carried out (RFC 9457).",
        [
            SchemaProperty("type", .uri, "The kind of problem; a name, there is nothing to fetch behind it."),
            SchemaProperty("title", .string, "The kind of problem in a few words."),
            SchemaProperty("status", .integer(400...599), "The status of the answer."),
            SchemaProperty(
                "detail", .either([.string, .ref(.handleConflict)]), "What happened and what to do next, for people."),
            SchemaProperty("instance", .uri, "This occurrence, by its request id."),
            .optional("missing_scopes", .array(of: .string), "The scopes that a credential lacks; only with status 403."),
            .optional("errors", .array(of: .ref(.fieldError)), "What is wrong with which part; only with status 422."),
        ])

    private static let fieldError = NamedSchema(
        "FieldError", "One part of a request that breaks a rule.",
        [
            SchemaProperty(
                "pointer", .string,
                "A JSON pointer into the body (RFC 6901), `?name` for a query item, or the name of a header field."),
            SchemaProperty("detail", .string, "What is wrong with it, for people."),
        ])

    private static let handleConflict = NamedSchema(
        "HandleConflict", "The detail when an agent's handle is taken; clients tell it by its code.",
        [
            SchemaProperty("code", .oneOf(["agent_handle_unavailable"])),
            SchemaProperty("blocking_namespace", .oneOf(["tunnels", "identities"]), "Who holds the name."),
            SchemaProperty("detail", .string, "The sentence for people."),
        ])
}

// MARK: - Values that many objects have

extension JSONSchema {
    /// A tunnel's name or an agent's handle in its normal form.
    static let name = string(
        min: TunnelName.byteCountMin, max: TunnelName.byteCountMax, pattern: "^[a-z0-9]+(-[a-z0-9]+)*$"
    ).example("my-agent")

    /// Clients need not understand it.
    fileprivate static let cursor = string(pattern: #"^[0-9]{1,18}~[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"#)

    static let organizationID = string.example("org_2fWkxQ8mZ4tT")
}

extension APIParameter {
    /// What every list of pages takes.
    static let page = [
        APIParameter(
            "limit", .integer(1...Page<Never>.sizeMax),
            "So many items at most; without `limit` and `cursor` the list comes whole."),
        APIParameter("cursor", .cursor, "Where the page begins: what the page before it gave as the next one's."),
    ]

    /// What stands in a path, by the name between its braces.
    static let inPaths = [
        APIParameter("id", in: .path, .uuid, "The identifier; one that is unknown, or none at all, is answered 404."),
        APIParameter(
            "handle", in: .path, .string, "The agent's handle, with or without `@`; one that is unknown is answered 404."),
        APIParameter("key_id", in: .path, .apiKeyID, "The id of the key's record; one that is unknown is answered 404."),
        APIParameter("client_id", in: .path, .clientID, "The app's identifier; one that is unknown is answered 404."),
    ]

    static let idempotencyKey = APIParameter(
        "Idempotency-Key", in: .header, .string(min: 1, max: IdempotencyKey.scalarCountMax, pattern: #"^[!-~]([ -~]*[!-~])?$"#),
        """
        A name of the client's own for this attempt. For 24 hours the same key with the same request gets the first answer \
        again, secrets included, and nothing is done twice.
        """)
}

extension SchemaProperty {
    /// What tells a page's reader that there is more.
    static let nextCursor = SchemaProperty.optional(
        "next_cursor", .string, "The `cursor` of the next page; missing on the last one.")
}
