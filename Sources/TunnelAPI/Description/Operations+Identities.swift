internal import TunnelDomain
internal import TunnelWire

extension APIOperation {
    /// Control plane, section 4.
    static let identities: [APIOperation] = [
        APIOperation(
            "GET", "/api/v1/identities", "listIdentities", .identities, "List identities",
            "Newest first. An identity's key sees its own.",
            access: .permitted(.listIdentities), parameters: APIParameter.page,
            answers: [
                DescribedAnswer(200, "The identities.", .array(of: .ref(.identity)), headers: [.link]),
                .problem(422, "`limit` or `cursor` is not right."),
            ]),
        APIOperation(
            "POST", "/api/v1/identities", "createIdentity", .identities, "Create an identity with its tunnel",
            "Both or neither is made. Counts as a tunnel of the organization's daily ones.",
            access: .permitted(.createIdentity), isKeyed: true, body: .ref(.identityCreation),
            answers: [
                DescribedAnswer(201, "The identity was made.", .ref(.identity), headers: APIHeader.rateLimit),
                .problem(409, "The handle is taken or reserved; the detail is an object."),
                .tooMany("The organization has made as many tunnels as it may in 24 hours."),
            ]),
        APIOperation(
            "GET", "/api/v1/identities/{handle}", "getIdentity", .identities, "Get an identity",
            access: .permitted(.readIdentity), answers: [.identity]),
        APIOperation(
            "PATCH", "/api/v1/identities/{handle}", "updateIdentity", .identities, "Update or rename an identity",
            """
            A new handle renames the tunnel: the old host stops, the new one works, the agent stays connected. A passthrough \
            tunnel then waits for a certificate that names the new host.
            """,
            access: .permitted(.updateIdentity), body: .ref(.identityChange),
            answers: [.identity, .problem(409, "The new handle is taken or reserved; the detail is an object.")]),
        APIOperation(
            "DELETE", "/api/v1/identities/{handle}", "deleteIdentity", .identities, "Delete an identity for good",
            "Its tunnel and its keys end at once, and its handle is free. There is no way back.",
            access: .permitted(.deleteIdentity), answers: [.noContent("The identity is gone.")]),
        signingKeyStatus,
        signingKeyRotation,
        signingKeyStatus.also(at: SigningKeyRoutes.pathWithoutHandle, as: "getOwnSigningKeyStatus"),
        signingKeyRotation.also(at: SigningKeyRoutes.pathWithoutHandle, as: "rotateOwnSigningKey"),
    ]

    private static let signingKeyStatus = APIOperation(
        "GET", SigningKeyRoutes.path, "getSigningKeyStatus", .identities, "Is there a webhook signing key?",
        "Without a handle: an identity's key asks about its own, an admin key about any of the organization.",
        access: .permitted(.readSigningKey), answers: [DescribedAnswer(200, "Whether there is one.", .ref(.signingKeyStatus))])

    private static let signingKeyRotation = APIOperation(
        "POST", SigningKeyRoutes.path, "rotateSigningKey", .identities, "Create or rotate the webhook signing key",
        "The old key signs nothing any more. Without a handle an identity's key means its own; an admin key is answered 409.",
        access: .permitted(.rotateSigningKey), isKeyed: true,
        answers: [
            DescribedAnswer(201, "The first key.", .ref(.signingKey)), DescribedAnswer(200, "Another key.", .ref(.signingKey)),
            .problem(409, "An admin key named no identity."),
        ])

    /// Control plane, section 4.
    static let apiKeys: [APIOperation] = [
        APIOperation(
            "GET", "/api/v1/api-keys", "listAPIKeys", .apiKeys, "List API keys", "Newest first, ended ones included.",
            access: .permitted(.listKeys), parameters: APIParameter.page,
            answers: [
                DescribedAnswer(200, "The keys' records.", .array(of: .ref(.apiKeyRecord)), headers: [.link]),
                .problem(422, "`limit` or `cursor` is not right."),
            ]),
        APIOperation(
            "POST", "/api/v1/api-keys", "createAPIKey", .apiKeys, "Create a key for an identity, or for some scopes",
            """
            Admin keys are made on the service's own machine only; asking for one, or for one of the whole organization with \
            `keys:write` or `apps:write`, is answered 403. So is asking for a key that could do more than the one that asks.
            """,
            access: .permitted(.createIdentityKey), isKeyed: true, body: .ref(.apiKeyCreation),
            answers: [
                DescribedAnswer(201, "The key was made.", .ref(.createdAPIKey)),
                .problem(404, "There is no such identity among yours."),
            ]),
        APIOperation(
            "GET", "/api/v1/api-keys/{key_id}", "getAPIKey", .apiKeys, "Get a key's record", access: .permitted(.listKeys),
            answers: [DescribedAnswer(200, "The record.", .ref(.apiKeyRecord))]),
        APIOperation(
            "DELETE", "/api/v1/api-keys/{key_id}", "revokeAPIKey", .apiKeys, "Revoke a key",
            "It counts no more at the next request; agents that connected with it are cut off. Repeating it changes nothing.",
            access: .permitted(.revokeKey), answers: [.noContent("The key is revoked.")]),
        APIOperation(
            "POST", "/api/v1/api-keys/{key_id}/rotate", "rotateAPIKey", .apiKeys, "Put a new key in a key's place",
            """
            The new key is for the same owner, scopes, ranges and time. With an overlap the old one counts beside it until its \
            `expires_at`, which is set; without one it is revoked, and agents that connected with it are cut off.
            """,
            access: .permitted(.rotateKey), isKeyed: true, optionalBody: .ref(.apiKeyRotation),
            answers: [
                DescribedAnswer(201, "The new key was made.", .ref(.rotatedAPIKey), headers: APIHeader.rateLimit),
                .problem(409, "The key has ended, or was rotated already."),
                .tooMany("The identity's keys, or the organization's own, were rotated as often as they may in 24 hours."),
            ]),
        whoAmI.also(at: "/api/whoami", as: "whoAmI"),
        whoAmI,
    ]

    private static let whoAmI = APIOperation(
        "GET", "/api/v1/whoami", "whoAmIVersioned", .apiKeys, "What is this credential?", access: .permitted(.askWhoAmI),
        answers: [DescribedAnswer(200, "The credential.", .ref(.whoAmI))])
}

extension APIOperation {
    /// Control plane, section 5.
    static let agents: [APIOperation] = zip(AgentRoutes.paths, ["", "Versioned", "Unversioned"]).map { path, suffix in
        rotation.also(at: path, as: "rotateOwnKey" + suffix)
    }

    private static let rotation = APIOperation(
        "POST", "", "", .identities, "Rotate the agent's own key",
        """
        The key and the rotation secret are replaced together; connections that the old key opened end. With an \
        `Idempotency-Key` a lost answer can be had again for 24 hours with the old credentials.
        """,
        access: .rotationSecret, isKeyed: true, body: .ref(.keyRotation),
        answers: [
            DescribedAnswer(200, "Both are new.", .ref(.rotatedKey), headers: APIHeader.rateLimit),
            .problem(400, "There is no `rotationSecret`."),
            .problem(401, "The key or the secret is wrong.", headers: [.wwwAuthenticate]),
            .problem(403, "The agent was revoked, or has no rotation secret."),
            .tooMany("The address has tried as often as it may in 15 minutes."),
        ])
}

extension NamedSchema {
    fileprivate static let keyRotation = NamedSchema(
        "KeyRotation", "Proof that the key was not just found.",
        [SchemaProperty("rotationSecret", .string(min: 1), "The secret that came with the key.")])

    fileprivate static let rotatedKey = NamedSchema(
        "RotatedKey", "New credentials, which are shown this once.",
        [
            SchemaProperty("message", .string),
            SchemaProperty("apiKey", .apiKey),
            SchemaProperty("rotationSecret", .rotationSecret),
            SchemaProperty("agentId", .uuid, "The identity."),
            SchemaProperty("agentName", .name, "Its handle."),
        ])
}

extension DescribedAnswer {
    fileprivate static let identity = DescribedAnswer(200, "The identity as it is now.", .ref(.identity))

    /// Done, without a body.
    fileprivate static func noContent(_ text: String) -> DescribedAnswer { DescribedAnswer(204, text, nil) }
}
