internal import TunnelDomain
internal import TunnelWire

extension APIOperation {
    /// Control plane, section 3.
    static let tunnels: [APIOperation] = [
        APIOperation(
            "GET", "/api/v1/tunnels", "listTunnels", .tunnels, "List tunnels",
            "Newest first, without deleted ones. An identity's key sees its own tunnel.",
            access: .permitted(.listTunnels), parameters: APIParameter.page,
            answers: [
                DescribedAnswer(200, "The tunnels.", .ref(.tunnelList)),
                .problem(422, "`limit` or `cursor` is not right."),
            ]),
        APIOperation(
            "POST", "/api/v1/tunnels", "createTunnel", .tunnels, "Create a tunnel",
            "A tunnel with `tls_mode` `edge` is active at once; with `passthrough` it waits for its certificate.",
            access: .permitted(.createTunnel), isKeyed: true, body: .ref(.tunnelCreation),
            answers: [
                DescribedAnswer(201, "The tunnel was made.", .ref(.createdTunnel), headers: APIHeader.rateLimit),
                .problem(409, "The name is taken or reserved."),
                .tooMany("The organization has made as many as it may in 24 hours."),
            ]),
        APIOperation(
            "GET", "/api/v1/tunnels/{id}", "getTunnel", .tunnels, "Get a tunnel", access: .permitted(.readTunnel),
            answers: [.tunnel]),
        APIOperation(
            "PATCH", "/api/v1/tunnels/{id}", "updateTunnel", .tunnels, "Update a tunnel's description and metadata",
            access: .permitted(.updateTunnel), body: .ref(.tunnelChange),
            answers: [.tunnel, .problem(409, "The tunnel is `delete_pending`.")]),
        APIOperation(
            "DELETE", "/api/v1/tunnels/{id}", "deleteTunnel", .tunnels, "Delete a tunnel",
            "Traffic stops at once; for 24 hours the tunnel can be restored and holds its name. Repeating it changes nothing.",
            access: .permitted(.deleteTunnel),
            answers: [.tunnel, .problem(409, "The tunnel belongs to an identity and is deleted with it.")]),
        APIOperation(
            "POST", "/api/v1/tunnels/{id}/restore", "restoreTunnel", .tunnels, "Restore a deleted tunnel",
            "Within 24 hours. A passthrough tunnel without a valid certificate waits for one.",
            access: .permitted(.restoreTunnel),
            answers: [.tunnel, .problem(409, "The tunnel is not `delete_pending`, or its time has passed.")]),
        APIOperation(
            "DELETE", "/api/v1/tunnels/{id}/force", "forceDeleteTunnel", .tunnels, "Delete a tunnel for good",
            "Ends the 24 hours of a tunnel that is `delete_pending`; its name is free.",
            access: .permitted(.forceDeleteTunnel),
            answers: [.tunnel, .problem(409, "The tunnel is not `delete_pending`.")]),
        APIOperation(
            "POST", "/api/v1/tunnels/{id}/rotate-secret", "rotateConnectSecret", .tunnels, "Rotate the connect secret",
            "The old secret is refused at the next hello; live connections stay.",
            access: .permitted(.rotateConnectSecret), isKeyed: true,
            answers: [
                DescribedAnswer(200, "The new secret.", .ref(.connectSecret), headers: APIHeader.rateLimit),
                .problem(409, "The tunnel is `delete_pending`, or belongs to an identity and has no connect secret."),
                .tooMany("The tunnel's secret was rotated as often as it may be in 24 hours."),
            ]),
        APIOperation(
            "POST", "/api/v1/tunnels/{id}/sign-csr", "signCSR", .tunnels, "Sign a certificate request",
            "For passthrough tunnels: the first certificate activates the tunnel.",
            access: .permitted(.signCertificate), isKeyed: true, body: .ref(.signingRequest),
            answers: [
                DescribedAnswer(200, "The certificate.", .ref(.signedCertificate), headers: APIHeader.rateLimit),
                .problem(400, "The request is none, or must not be signed; the detail says why."),
                .problem(409, "The tunnel's `tls_mode` is `edge`, or its status is wrong."),
                .tooMany("As many certificates as may be were signed for the tunnel in 24 hours."),
            ]),
    ]
}

extension DescribedAnswer {
    fileprivate static let tunnel = DescribedAnswer(200, "The tunnel as it is now.", .ref(.tunnel))
}
