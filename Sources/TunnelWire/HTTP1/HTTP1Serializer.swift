/// How the end of an outgoing message is told.
package enum HTTP1Framing: Sendable, Hashable {
    /// No framing field at all: a request without body, a 1xx, 204 or 304, a response to HEAD of unknown length.
    case nothing
    /// `content-length`; in a response to HEAD the length that GET would have.
    case length(Int)
    case chunked
    /// No framing field but `connection: close`.
    case untilClose
}

/// What an outgoing message says about its connection.
package enum HTTP1Connection: Sendable, Hashable {
    /// Nothing is written: HTTP/1.1 connections last.
    case lasting
    /// `connection: keep-alive`, for a client that speaks HTTP/1.0 and asked for it.
    case keepAlive
    case close
    /// `connection: te`, for a request with that field (RFC 9110 §10.1.4).
    case nominatingTE
    /// `connection: upgrade` and `upgrade: TOKEN`.
    case upgrade(String)
}

/// The only writer of HTTP/1.1 messages: whatever it is given, what comes out is one message, or nothing.
///
/// Names, values, method, target and host are checked byte by byte while they are copied; framing and connection fields come
/// from the arguments alone, those in the field list are skipped. On `HTTP1Error.illegalOutput` the buffer is as before.
package enum HTTP1Serializer {
    /// Appends the request line, `host` from the head's authority, and the fields.
    package static func appendRequestHead(
        _ head: HTTPRequestHead, framing: HTTP1Framing, connection: HTTP1Connection = .lasting, into output: inout [UInt8]
    ) throws(HTTP1Error) {
        let byteCountMax = head.method.utf8.count + head.target.utf8.count + head.authority.utf8.count + 32
        try output.append(byteCountMax: byteCountMax + room(head.fields, connection)) { (writer) throws(HTTP1Error) in
            try writer.write(checked: head.method, isLegal: HTTPSyntax.isToken)
            writer.write(0x20)
            try writer.write(checked: head.target, isLegal: HTTPSyntax.isTarget)
            writer.write(" HTTP/1.1\r\nhost: ")
            try writer.write(checked: head.authority, isLegal: HostAndPort.isLegal)
            writer.write("\r\n")
            try writer.write(head.fields, framing, connection)
        }
    }

    /// Appends the status line, with the usual reason phrase, and the fields.
    package static func appendResponseHead(
        _ head: HTTPResponseHead, framing: HTTP1Framing, connection: HTTP1Connection = .lasting, into output: inout [UInt8]
    ) throws(HTTP1Error) {
        guard (100...599).contains(head.status) else { throw .illegalOutput }
        let reason = HTTPReasonPhrase.phrase(for: head.status)
        let byteCountMax = reason.utf8CodeUnitCount + 32 + room(head.fields, connection)
        try output.append(byteCountMax: byteCountMax) { (writer) throws(HTTP1Error) in
            writer.write("HTTP/1.1 ")
            writer.write(decimal: head.status)
            writer.write(0x20)
            writer.write(reason)
            writer.write("\r\n")
            try writer.write(head.fields, framing, connection)
        }
    }

    /// Appends an interim response such as 100 or 103.
    package static func appendInterimHead(
        status: Int, fields: HTTPFields = HTTPFields(), into output: inout [UInt8]
    ) throws(HTTP1Error) {
        guard (100...199).contains(status), status != 101 else { throw .illegalOutput }
        try appendResponseHead(HTTPResponseHead(status: status, fields: fields), framing: .nothing, into: &output)
    }

    /// Bytes on the request and status lines, the framing and connection fields, and per field what stands around it.
    private static func room(_ fields: HTTPFields, _ connection: HTTP1Connection) -> Int {
        let upgradeByteCount =
            switch connection {
            case .lasting, .keepAlive, .close, .nominatingTE: 0
            case .upgrade(let token): token.utf8.count
            }
        return fields.byteCount + 4 * fields.count + upgradeByteCount + 128
    }
}

// MARK: - Body

extension HTTP1Serializer {
    /// The bytes after every chunk's data.
    package static let chunkEnd: StaticString = "\r\n"

    /// Appends the line before a chunk's data. A chunk has at least one byte: an empty one would end the body.
    package static func appendChunkHead(byteCount: Int, into output: inout [UInt8]) {
        precondition(byteCount > 0, "an empty chunk ends the body; use appendLastChunk")
        output.append(addingCapacity: 18) { out in
            out.withUnsafeMutableBufferPointer { room, initializedCount in
                var writer = ByteWriter(room: room)
                writer.write(hexadecimal: byteCount)
                writer.write("\r\n")
                initializedCount = writer.byteCount
            }
        }
    }

    package static func appendChunkEnd(into output: inout [UInt8]) {
        output.append(0x0D)
        output.append(0x0A)
    }

    /// Appends the last chunk and the trailers, of which those that may not be trailers are left out.
    package static func appendLastChunk(trailers: HTTPFields? = nil, into output: inout [UInt8]) throws(HTTP1Error) {
        let byteCountMax = 5 + (trailers.map { $0.byteCount + 4 * $0.count } ?? 0)
        try output.append(byteCountMax: byteCountMax) { (writer) throws(HTTP1Error) in
            writer.write("0\r\n")
            try trailers?.forEach { (known, name, value) throws(HTTP1Error) in
                if known.trailerVerdict == .keep { try writer.write(name: name, value: value) }
            }
            writer.write("\r\n")
        }
    }
}

// MARK: - Fields

extension ByteWriter {
    fileprivate mutating func write(
        _ fields: HTTPFields, _ framing: HTTP1Framing, _ connection: HTTP1Connection
    ) throws(HTTP1Error) {
        try fields.forEach { (known, name, value) throws(HTTP1Error) in
            if !known.isWrittenByArguments { try write(name: name, value: value) }
        }
        switch framing {
        case .nothing, .untilClose: break
        case .length(let byteCount):
            write("content-length: ")
            write(decimal: byteCount)
            write("\r\n")
        case .chunked: write("transfer-encoding: chunked\r\n")
        }
        try write(framing == .untilClose ? .close : connection)
        write("\r\n")
    }

    private mutating func write(_ connection: HTTP1Connection) throws(HTTP1Error) {
        switch connection {
        case .lasting: break
        case .keepAlive: write("connection: keep-alive\r\n")
        case .close: write("connection: close\r\n")
        case .nominatingTE: write("connection: te\r\n")
        case .upgrade(let token):
            write("connection: upgrade\r\nupgrade: ")
            try write(checked: token, isLegal: HTTPSyntax.isToken)
            write("\r\n")
        }
    }

    fileprivate mutating func write(name: Span<UInt8>, value: Span<UInt8>) throws(HTTP1Error) {
        guard HTTPSyntax.isToken(name), HTTPSyntax.isFieldValue(value) else { throw .illegalOutput }
        write(name)
        write(": ")
        write(value)
        write("\r\n")
    }

    fileprivate mutating func write(checked text: String, isLegal: (Span<UInt8>) -> Bool) throws(HTTP1Error) {
        guard isLegal(text.utf8.span) else { throw .illegalOutput }
        write(text)
    }
}

extension KnownField {
    /// Fields of one connection: what they should say follows from the serialiser's arguments.
    fileprivate var isWrittenByArguments: Bool {
        self == .connection || self == .contentLength || self == .transferEncoding || self == .host || self == .upgrade
            || self == .keepAlive || self == .proxyConnection
    }
}
