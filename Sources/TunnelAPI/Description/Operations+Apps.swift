internal import TunnelDomain
internal import TunnelWire

extension APIOperation {
    /// Control plane, section 6.
    static let apps: [APIOperation] = [
        APIOperation(
            "GET", "/api/v1/apps", "listApps", .apps, "List apps", "Newest first.",
            access: .permitted(.readApps), parameters: APIParameter.page,
            answers: [
                DescribedAnswer(200, "The apps.", .ref(.appList)), .problem(422, "`limit` or `cursor` is not right."),
            ]),
        APIOperation(
            "POST", "/api/v1/apps", "createApp", .apps, "Create an app",
            "The app authenticates with HTTP Basic, its `client_id` as user name and the secret as password.",
            access: .permitted(.createApp), isKeyed: true, body: .ref(.appCreation),
            answers: [
                DescribedAnswer(201, "The app was made.", .ref(.createdApp)),
                .problem(409, "The organization has as many apps as it may."),
            ]),
        APIOperation(
            "GET", "/api/v1/apps/{client_id}", "getApp", .apps, "Get an app", access: .permitted(.readApps),
            answers: [DescribedAnswer(200, "The app.", .ref(.app))]),
        APIOperation(
            "DELETE", "/api/v1/apps/{client_id}", "deleteApp", .apps, "Delete an app",
            "Its credential is refused from the next request on.", access: .permitted(.deleteApp),
            answers: [DescribedAnswer(204, "The app is gone.", nil)]),
        rotateClientSecret, rotateClientSecret.also(at: AppRoutes.connectPath, as: "rotateClientSecretOfConnectApp"),
    ]

    private static let rotateClientSecret = APIOperation(
        "POST", "/api/v1/apps/{client_id}/rotate-client-secret", "rotateClientSecret", .apps, "Rotate a client secret",
        "The old secret is refused from the next request on. Nothing is read from the body.",
        access: .permitted(.rotateClientSecret), isKeyed: true,
        answers: [DescribedAnswer(200, "The new secret.", .ref(.clientSecret))])
}

extension NamedSchema {
    fileprivate static let app = NamedSchema("App", "A machine client of the organization.", properties)

    fileprivate static let appList = NamedSchema(
        "AppList", "Apps, newest first.", [SchemaProperty("apps", .array(of: .ref(.app))), .nextCursor])

    fileprivate static let createdApp = NamedSchema(
        "CreatedApp", "A new app and its secret, which is shown this once.",
        properties + [SchemaProperty("client_secret", .clientSecret)])

    fileprivate static let clientSecret = NamedSchema(
        "ClientSecret", "A new secret, which is shown this once.", [SchemaProperty("clientSecret", .clientSecret)])

    fileprivate static let appCreation = NamedSchema(
        "AppCreation", "What a new app is to be.",
        [
            SchemaProperty("name", .appName, "For people to tell apps apart."),
            SchemaProperty("scopes", .array(of: .scope), "What it may do; empty for nothing but asking who it is."),
        ])

    private static let properties = [
        SchemaProperty("client_id", .clientID, "Its identifier, and the user name of its credential."),
        SchemaProperty("organization_id", .organizationID, "The owning organization."),
        SchemaProperty("name", .appName),
        SchemaProperty("scopes", .array(of: .scope), "What it may do."),
        SchemaProperty("secret_last4", .string, "The last characters of its secret, for people to tell theirs apart."),
        SchemaProperty("created_by", .string, "The id of the key that asked for it."),
        SchemaProperty("created_at", .time),
        SchemaProperty("updated_at", .time),
        SchemaProperty("secret_rotated_at", .time.orNull, "Null as long as the first secret counts."),
        SchemaProperty("last_used_at", .time.orNull, "Exact to a minute."),
    ]
}

extension JSONSchema {
    fileprivate static let appName = string(
        min: 1, max: AppFields.nameScalarCountMax, pattern: #"^[^\u0000-\u001f\u007f-\u009f]*$"#
    ).example("billing")
    fileprivate static let scope = oneOf(Set(Scope.allCases).names)
    static let clientID = string(pattern: "^app_[0-9a-f]{32}$").example("app_1c9e2f60a7b84d3e8f5a6b7c8d9e0f12")
    fileprivate static let clientSecret = string(pattern: "^[0-9a-f]{64}$")
}
