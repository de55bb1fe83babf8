internal import TunnelWire

/// How a request is put to the target: under which Host, at which path, with which word of who asked.
struct TargetManner {
    let target: AgentTarget
    /// Host and port of the public URL.
    let publicAuthority: String
    let scheme: String
    let hostHeader: AgentHostHeader

    /// The head of the request; `fields` are those that the program gets beside the tunnel's own.
    func head(
        _ method: String, _ envelope: RequestEnvelope, fields: HTTPFields, acceptsTrailers: Bool = false,
        upgradeProtocol: String? = nil
    ) -> HTTPRequestHead {
        var fields = fields
        if acceptsTrailers { fields.append("te", "trailers") }
        ForwardedFields(clientAddress: envelope.forwardedFor, publicHost: publicAuthority, scheme: scheme).append(to: &fields)
        return HTTPRequestHead(
            method: method, target: path(envelope.path), authority: authority, scheme: "http",
            upgradeProtocol: upgradeProtocol, fields: fields)
    }

    private func path(_ path: String) -> String {
        // The asterisk of OPTIONS names the whole server.
        target.pathPrefix.isEmpty || !path.utf8.starts(with: "/".utf8) ? path : target.pathPrefix + path
    }

    private var authority: String {
        switch hostHeader.choice {
        case .rewrite: target.authority
        case .preserve: publicAuthority
        case .fixed(let value): value
        }
    }
}
