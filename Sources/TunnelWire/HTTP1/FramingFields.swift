/// What the fields of one head say about framing, gathered while they arrive.
struct FramingFields: Sendable {
    private(set) var contentLength: Int?
    private(set) var isChunked = false
    private(set) var namesClose = false
    private(set) var namesKeepAlive = false
    private(set) var namesUpgrade = false
    private(set) var expectsContinue = false
    private(set) var upgrade: String?
    private(set) var hasHost = false

    /// Every other known name is looked at by nobody here; the few below decide where the message ends.
    mutating func note(_ known: KnownField, _ value: Span<UInt8>, in direction: MessageDirection) throws(HTTP1Error) {
        switch known.framingRole(in: direction) {
        case .nothing: return
        case .host: try noteHost(value)
        case .contentLength: try noteLength(value)
        case .transferEncoding: try noteTransferEncoding(value)
        case .connection: noteConnection(value)
        case .expect: try noteExpect(value)
        case .upgrade: noteUpgrade(value)
        }
    }

    func bodyLength(absent: HTTP1BodyLength, version: HTTP1Version) throws(HTTP1Error) -> HTTP1BodyLength {
        if isChunked {
            guard contentLength == nil else { throw .lengthAndTransferEncoding }
            guard version == .http11 else { throw .transferEncodingInHTTP10 }
            return .chunked
        }
        guard let contentLength else { return absent }
        return contentLength == 0 ? .none : .length(contentLength)
    }

    /// Whether a body was announced that has at least one byte, or may have.
    var announcesContent: Bool { isChunked || contentLength.map { $0 > 0 } ?? false }

    func isKeepAlive(version: HTTP1Version) -> Bool {
        if namesClose { return false }
        return switch version {
        case .http10: namesKeepAlive
        case .http11: true
        }
    }

    private mutating func noteHost(_ value: Span<UInt8>) throws(HTTP1Error) {
        guard !hasHost else { throw .repeatedHost }
        hasHost = true
    }

    private mutating func noteLength(_ value: Span<UInt8>) throws(HTTP1Error) {
        guard contentLength == nil else { throw .repeatedLength }
        contentLength = try FramingFields.length(value)
        if isChunked { throw .lengthAndTransferEncoding }
    }

    /// Digits only, at most 18 of them, so that the sum of any two lengths still fits.
    static func length(_ value: Span<UInt8>) throws(HTTP1Error) -> Int {
        guard !value.isEmpty, value.count <= 18 else { throw .malformedLength }
        var length = 0
        for index in value.indices {
            guard HTTPSyntax.isDigit(value[index]) else { throw .malformedLength }
            length = length * 10 + Int(value[index] - 0x30)
        }
        return length
    }

    private mutating func noteTransferEncoding(_ value: Span<UInt8>) throws(HTTP1Error) {
        guard !isChunked, value.equalsIgnoringCase("chunked") else { throw .unsupportedTransferEncoding }
        isChunked = true
        if contentLength != nil { throw .lengthAndTransferEncoding }
    }

    private mutating func noteConnection(_ value: Span<UInt8>) {
        value.forEachListElement { option in
            if option.equalsIgnoringCase("close") { namesClose = true }
            if option.equalsIgnoringCase("keep-alive") { namesKeepAlive = true }
            if option.equalsIgnoringCase("upgrade") { namesUpgrade = true }
        }
    }

    private mutating func noteExpect(_ value: Span<UInt8>) throws(HTTP1Error) {
        guard value.equalsIgnoringCase("100-continue") else { throw .unsupportedExpectation }
        expectsContinue = true
    }

    private mutating func noteUpgrade(_ value: Span<UInt8>) {
        value.forEachListElement { element in
            if element.equalsIgnoringCase("websocket") { upgrade = "websocket" }
            if upgrade == nil { upgrade = String(decodingLossily: element).lowercased() }
        }
    }
}

/// Some fields mean something in one direction only.
enum MessageDirection: Sendable { case request, response }

extension KnownField {
    enum FramingRole { case nothing, host, contentLength, transferEncoding, connection, expect, upgrade }

    func framingRole(in direction: MessageDirection) -> FramingRole {
        if self == .host { return direction == .request ? .host : .nothing }
        if self == .contentLength { return .contentLength }
        if self == .transferEncoding { return .transferEncoding }
        if self == .connection { return .connection }
        if self == .expect { return direction == .request ? .expect : .nothing }
        return self == .upgrade ? .upgrade : .nothing
    }
}

extension Span<UInt8> {
    /// Calls the closure with every non-empty element of a comma-separated list, without its outer blanks.
    package func forEachListElement(_ body: (Span<UInt8>) -> Void) {
        var start = 0
        while start < count {
            let end = firstIndex(of: UInt8(ascii: ","), from: start) ?? count
            let element = extracting(rangeWithoutOuterBlanks(start..<end))
            if !element.isEmpty { body(element) }
            start = end + 1
        }
    }
}
