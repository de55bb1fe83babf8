/// The fields that tell an origin who really asked, under which name, and how.
package struct ForwardedFields: Sendable, Hashable {
    /// The third party's IP address as text, without brackets; nil when it is not known.
    package var clientAddress: String?
    /// The host that the third party asked for, with its port if it named one.
    package var publicHost: String
    /// `https` or `http`, as the third party spoke with the edge.
    package var scheme: String

    package init(clientAddress: String?, publicHost: String, scheme: String = "https") {
        self.clientAddress = clientAddress
        self.publicHost = publicHost
        self.scheme = scheme
    }

    /// Appends `x-forwarded-for`, `-host`, `-proto` and `forwarded` (RFC 7239); an address that is none becomes `unknown`.
    package func append(to fields: inout HTTPFields) {
        if let address = legalAddress { fields.append("x-forwarded-for", address) }
        fields.append("x-forwarded-host", publicHost)
        fields.append("x-forwarded-proto", scheme)
        fields.append("forwarded", forwarded)
    }

    /// The value of `Forwarded`: what is not a token stands in quotes, an IPv6 address in brackets within them.
    package var forwarded: String {
        let node = legalAddress.map { $0.utf8.contains(UInt8(ascii: ":")) ? "\"[\($0)]\"" : $0 } ?? "unknown"
        let host = HTTPSyntax.isToken(publicHost.utf8.span) ? publicHost : "\"\(publicHost)\""
        return "for=\(node);host=\(host);proto=\(scheme)"
    }

    private var legalAddress: String? {
        guard let clientAddress, IPText.isIPv4(clientAddress.utf8.span) || IPText.isIPv6(clientAddress.utf8.span) else {
            return nil
        }
        return clientAddress
    }
}
