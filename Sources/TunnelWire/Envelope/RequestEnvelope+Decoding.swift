extension RequestEnvelope {
    /// Reads the fields of an intake's answer, as the agent gets them.
    ///
    /// Unknown `inkbox-` fields are ignored, as a later server may add some; everything else that is not carried is too.
    package init(decoding given: HTTPFields) throws(EnvelopeError) {
        requestID = try given.single(.inkboxRequestId)
        method = try given.single(.inkboxMethod)
        path = try given.single(.inkboxPath)
        guard let routeKind = RouteKind(rawValue: try given.single(.inkboxRouteKind)) else {
            throw .malformedField(.inkboxRouteKind)
        }
        self.routeKind = routeKind
        webSocketID = try given.optionalSingle(.inkboxWsId)
        tcpID = try given.optionalSingle(.inkboxTcpId)
        sniHost = try given.optionalSingle(.inkboxSniHost)
        forwardedFor = try given.optionalSingle(.inkboxForwardedFor)
        fields = HTTPFields()
        contentLength = nil
        try checkText()
        try takeFields(from: given)
    }

    private func checkText() throws(EnvelopeError) {
        guard HTTPSyntax.isToken(requestID.utf8.span) else { throw .malformedField(.inkboxRequestId) }
        guard HTTPSyntax.isToken(method.utf8.span) else { throw .malformedField(.inkboxMethod) }
        guard HTTPSyntax.isTarget(path.utf8.span), path.utf8.first == UInt8(ascii: "/") || path == "*" else {
            throw .malformedField(.inkboxPath)
        }
        switch routeKind {
        case .webhook: break
        case .webSocketUpgrade: if webSocketID == nil { throw .missingField(.inkboxWsId) }
        case .tcpStream: if tcpID == nil { throw .missingField(.inkboxTcpId) }
        }
    }

    private mutating func takeFields(from given: HTTPFields) throws(EnvelopeError) {
        fields.reserve(byteCount: given.byteCount, fieldCount: given.count + 4)
        let nominated = NominatedFields(of: given, prefix: "inkbox-h-")
        try given.forEachCarried { (known, name, value) throws(EnvelopeError) in
            if known == .contentLength {
                guard contentLength == nil else { throw .repeatedField(.contentLength) }
                contentLength = try value.contentLength()
            } else if known == .te {
                acceptsTrailers = acceptsTrailers || value.equalsIgnoringCase("trailers")
            } else if HopByHop.travelsToAgent(known, name), !nominated.contains(name) {
                fields.append(name: name, value: value)
            }
        }
    }
}

extension HTTPFields {
    /// Calls the closure with every carried field, its prefix taken off, its name and value checked.
    func forEachCarried(
        _ body: (_ known: KnownField, _ name: Span<UInt8>, _ value: Span<UInt8>) throws(EnvelopeError) -> Void
    ) throws(EnvelopeError) {
        let prefix = RequestEnvelope.fieldPrefix
        try forEach { (known, name, value) throws(EnvelopeError) in
            guard known == .other, name.hasPrefix(prefix) else { return }
            let carried = name.extracting(prefix.utf8CodeUnitCount..<name.count)
            guard HTTPSyntax.isToken(carried), HTTPSyntax.isFieldValue(value) else { throw .illegalField }
            try body(carried.withUnsafeBufferPointer { KnownField(lowercased: $0) }, carried, value)
        }
    }

    func single(_ field: KnownField) throws(EnvelopeError) -> String {
        guard let value = try optionalSingle(field) else { throw .missingField(field) }
        return value
    }

    func optionalSingle(_ field: KnownField) throws(EnvelopeError) -> String? {
        guard let value = first(field) else { return nil }
        guard count(of: field) == 1 else { throw .repeatedField(field) }
        return value
    }
}

extension Span<UInt8> {
    func contentLength() throws(EnvelopeError) -> Int {
        do { return try FramingFields.length(self) } catch { throw .malformedField(.contentLength) }
    }
}
