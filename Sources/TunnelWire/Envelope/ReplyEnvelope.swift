/// An origin's response as it travels back in the header of the agent's reply (data plane §4).
package struct ReplyEnvelope: Sendable {
    /// 200...599: a reply is final.
    package var status: Int
    /// The origin's fields, clean of what belongs to a connection, and `inkbox-reason` when the agent gave one.
    package var fields: HTTPFields
    /// How many body bytes the reply carries, when it says so.
    package var contentLength: Int?
    /// The origin's `content-length` in a response that has no body: to HEAD, or with status 304.
    package var announcedLength: Int?

    /// Whether a response has no body whatever its fields say (RFC 9110 §6.4.1).
    package static func hasNoBody(status: Int, isHeadRequest: Bool) -> Bool {
        isHeadRequest || status == 204 || status == 304 || status < 200
    }
}

// MARK: - At the agent

extension ReplyEnvelope {
    /// Appends the fields of a reply; credentials and the tunnel's id are the caller's.
    ///
    /// - Parameters:
    ///   - contentLength: the body bytes that will follow on the stream, or nil when that is not known yet.
    ///   - reason: the agent's own `inkbox-reason`; one that the origin sent is left out.
    /// - Throws: `EnvelopeError.malformedField` for a status outside 200...599, `.illegalField` for what HTTP cannot carry.
    package static func encode(
        _ head: HTTPResponseHead, requestID: String, contentLength: Int?, isHeadRequest: Bool = false, reason: String? = nil,
        into output: inout HTTPFields
    ) throws(EnvelopeError) {
        guard (200...599).contains(head.status) else { throw .malformedField(.inkboxStatus) }
        let given = head.fields
        output.reserve(byteCount: given.byteCount + 9 * given.count + 256, fieldCount: given.count + 8)
        output.append("inkbox-status", String(head.status))
        output.append("inkbox-request-id", requestID)
        if let contentLength { output.append("content-length", String(contentLength)) }
        if let reason { output.append("inkbox-h-inkbox-reason", reason) }
        let nominated = NominatedFields(of: given)
        let keepsLength = isHeadRequest || head.status == 304
        try given.forEach { (known, name, value) throws(EnvelopeError) in
            let isKept = known == .contentLength ? keepsLength : HopByHop.travelsToThirdParty(known, name)
            guard isKept, !nominated.contains(name) else { return }
            guard HTTPSyntax.isToken(name), HTTPSyntax.isFieldValue(value) else { throw .illegalField }
            output.append(prefix: RequestEnvelope.fieldPrefix, name: name, value: value)
        }
    }
}

// MARK: - At the server

extension ReplyEnvelope {
    /// Reads and checks the fields of an agent's reply, which is input like a third party's.
    ///
    /// - Parameter isHeadRequest: whether the third party asked with HEAD.
    package init(decoding given: HTTPFields, isHeadRequest: Bool) throws(EnvelopeError) {
        status = try given.status()
        fields = HTTPFields()
        fields.reserve(byteCount: given.byteCount, fieldCount: given.count)
        contentLength = nil
        announcedLength = nil
        if let text = try given.optionalSingle(.contentLength) { contentLength = try text.utf8.span.contentLength() }
        var reason = try given.optionalSingle(.inkboxReason)
        let nominated = NominatedFields(of: given, prefix: "inkbox-h-")
        try given.forEachCarried { (known, name, value) throws(EnvelopeError) in
            if known == .contentLength {
                guard announcedLength == nil else { throw .repeatedField(.contentLength) }
                announcedLength = try value.contentLength()
            } else if known == .inkboxReason {
                reason = reason ?? String(decodingLossily: value)
            } else if HopByHop.travelsToThirdParty(known, name), !nominated.contains(name) {
                fields.append(name: name, value: value)
            }
        }
        if let reason {
            guard HTTPSyntax.isToken(reason.utf8.span) else { throw .malformedField(.inkboxReason) }
            fields.append("inkbox-reason", reason)
        }
        try settleLengths(isHeadRequest: isHeadRequest)
    }

    /// Where a body is, both lengths must be the same; where none is, the stream's length must be zero.
    private mutating func settleLengths(isHeadRequest: Bool) throws(EnvelopeError) {
        if ReplyEnvelope.hasNoBody(status: status, isHeadRequest: isHeadRequest) {
            guard contentLength ?? 0 == 0 else { throw .lengthMismatch }
            if status == 204 { announcedLength = nil }
        } else {
            if let contentLength, let announcedLength, contentLength != announcedLength { throw .lengthMismatch }
            contentLength = contentLength ?? announcedLength
            announcedLength = nil
        }
    }
}

extension HTTPFields {
    fileprivate func status() throws(EnvelopeError) -> Int {
        let text = try single(.inkboxStatus)
        let digits = text.utf8.span
        guard digits.count == 3, digits.allSatisfy(HTTPSyntax.isDigit), let status = Int(text), (200...599).contains(status)
        else { throw .malformedField(.inkboxStatus) }
        return status
    }
}
