/// What the server says about a request besides what the third party sent.
package struct RequestEnvelopeContext: Sendable, Hashable {
    package var requestID: String
    package var routeKind: RequestEnvelope.RouteKind
    package var webSocketID: String?
    package var tcpID: String?
    package var sniHost: String?
    /// The third party's IP address, as text.
    package var forwardedFor: String
    /// The agent reads values as bytes, not as UTF-8 (feature `opaque-headers`).
    package var allowsOpaqueValues = false
    /// The agent carries trailers (feature `trailers`), so that it may know who takes them.
    package var carriesTrailers = false

    package init(
        requestID: String, routeKind: RequestEnvelope.RouteKind = .webhook, webSocketID: String? = nil, tcpID: String? = nil,
        sniHost: String? = nil, forwardedFor: String, allowsOpaqueValues: Bool = false, carriesTrailers: Bool = false
    ) {
        self.requestID = requestID
        self.routeKind = routeKind
        self.webSocketID = webSocketID
        self.tcpID = tcpID
        self.sniHost = sniHost
        self.forwardedFor = forwardedFor
        self.allowsOpaqueValues = allowsOpaqueValues
        self.carriesTrailers = carriesTrailers
    }
}

extension RequestEnvelope {
    /// Appends the fields of the intake's answer for this request, in one pass over the third party's fields.
    ///
    /// - Parameter headerListByteCountMax: the agent's `SETTINGS_MAX_HEADER_LIST_SIZE`; `:status` is counted too.
    /// - Throws: `EnvelopeError.invalidHeader`, `.invalidRequestLine` or `.headersTooLarge`; the list is then worthless.
    package static func encode(
        _ head: HTTPRequestHead, _ context: RequestEnvelopeContext, headerListByteCountMax: Int, into output: inout HTTPFields
    ) throws(EnvelopeError) {
        let given = head.fields
        output.reserve(
            byteCount: given.byteCount + 9 * given.count + head.target.utf8.count + 256, fieldCount: given.count + 8)
        try appendContext(head, context, into: &output)
        try appendFields(of: given, context, into: &output)
        if context.carriesTrailers, given.acceptsTrailers { output.append("inkbox-h-te", "trailers") }
        let byteCount = output.headerListByteCount + HTTPFields.statusByteCount
        guard byteCount <= headerListByteCountMax else {
            throw .headersTooLarge(byteCount: byteCount, byteCountMax: headerListByteCountMax)
        }
    }

    private static func appendContext(
        _ head: HTTPRequestHead, _ context: RequestEnvelopeContext, into output: inout HTTPFields
    ) throws(EnvelopeError) {
        // A TCP stream has neither method nor path; both fields are there all the same, as agents expect them.
        let (method, target) = context.routeKind == .tcpStream ? ("CONNECT", "/") : (head.method, head.target)
        guard HTTPSyntax.isToken(method.utf8.span), HTTPSyntax.isTarget(target.utf8.span) else { throw .invalidRequestLine }
        output.append("inkbox-request-id", context.requestID)
        output.append("inkbox-method", method)
        output.append("inkbox-path", target)
        output.append("inkbox-route-kind", context.routeKind.rawValue)
        output.append("inkbox-forwarded-for", context.forwardedFor)
        if let id = context.webSocketID { output.append("inkbox-ws-id", id) }
        if let id = context.tcpID { output.append("inkbox-tcp-id", id) }
        if let host = context.sniHost { output.append("inkbox-sni-host", host) }
    }

    private static func appendFields(
        of given: HTTPFields, _ context: RequestEnvelopeContext, into output: inout HTTPFields
    ) throws(EnvelopeError) {
        let nominated = NominatedFields(of: given)
        var hasCookie = false
        try given.forEach { (known, name, value) throws(EnvelopeError) in
            guard HopByHop.travelsToAgent(known, name), !nominated.contains(name) else { return }
            guard context.allowsOpaqueValues || value.isUTF8 else { throw .invalidHeader }
            guard known == .cookie else { return output.append(prefix: fieldPrefix, name: name, value: value) }
            if hasCookie { return }
            hasCookie = true
            appendCookies(of: given, first: value, into: &output)
        }
    }

    /// RFC 9113 §8.2.3: crumbs that HTTP/2 allows are put together for whoever is not HTTP/2.
    private static func appendCookies(of given: HTTPFields, first: Span<UInt8>, into output: inout HTTPFields) {
        guard given.count(of: .cookie) > 1 else { return output.append("inkbox-h-cookie", value: first) }
        var joined: [UInt8] = []
        given.forEach { known, _, value in
            guard known == .cookie else { return }
            if !joined.isEmpty { joined.append(contentsOf: [UInt8(ascii: ";"), 0x20]) }
            value.withUnsafeBufferPointer { joined.append(contentsOf: $0) }
        }
        output.append("inkbox-h-cookie", value: joined.span)
    }
}

extension HTTPFields {
    /// What HTTP/2 counts for `:status`: its name, three digits and 32.
    static let statusByteCount = 7 + 3 + 32

    /// The list's size as `SETTINGS_MAX_HEADER_LIST_SIZE` counts it: 32 more for every field (RFC 9113 §6.5.2).
    package var headerListByteCount: Int { byteCount + 32 * count }
}

extension Span<UInt8> {
    /// Whether the bytes are well-formed UTF-8; ASCII, eight bytes at a time, is the usual answer.
    package var isUTF8: Bool {
        var offset = 0
        while offset + 8 <= count {
            let word = bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self)
            if word & 0x8080_8080_8080_8080 != 0 { return (try? UTF8Span(validating: self)) != nil }
            offset += 8
        }
        while offset < count {
            if self[offset] >= 0x80 { return (try? UTF8Span(validating: self)) != nil }
            offset += 1
        }
        return true
    }
}
