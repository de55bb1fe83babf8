// A reply on the intake's own stream (feature `replies-on-intake`): its head is binary HTTP (RFC 9292), its body the rest.
//
// Framing indicator 1, the status, and a known-length field section, each length a variable-length integer (RFC 9000 §16).
// Unlike in RFC 9292 no content length follows: the content goes on to the end of the stream.

extension ReplyEnvelope {
    /// Names a known-length response (RFC 9292 §3.3).
    fileprivate static let framingIndicator: UInt8 = 1
    /// The most bytes of a head before its field section: the indicator and two integers in their longest form.
    fileprivate static let preambleByteCountMax = 1 + 8 + 8

    /// Appends a reply's head in binary form.
    ///
    /// - Parameters:
    ///   - contentLength: the body bytes that will follow, or nil when that is not known yet.
    ///   - reason: the agent's own `inkbox-reason`; one that the origin sent is left out.
    /// - Throws: `EnvelopeError.malformedField` for a status outside 200...599, `.illegalField` for what HTTP cannot carry,
    ///   `.headersTooLarge` past ``BinaryReplyReader/fieldSectionByteCountMax``.
    package static func encodeBinary(
        _ head: HTTPResponseHead, contentLength: Int?, isHeadRequest: Bool = false, reason: String? = nil,
        into output: inout [UInt8]
    ) throws(EnvelopeError) {
        guard (200...599).contains(head.status) else { throw .malformedField(.inkboxStatus) }
        let given = head.fields
        output.reserveCapacity(output.count + given.byteCount + 8 * given.count + 96)
        output.append(framingIndicator)
        output.appendVariableLength(head.status)
        // The section's length is known last; its place is kept, in the four-byte form.
        let lengthPlace = output.count
        output.append(contentsOf: [0, 0, 0, 0])
        if let reason { output.appendFieldLine("inkbox-reason", String(reason)) }
        let nominated = NominatedFields(of: given)
        let keepsLength = isHeadRequest || head.status == 304
        if let contentLength, !hasNoBody(status: head.status, isHeadRequest: isHeadRequest) {
            output.appendFieldLine("content-length", String(contentLength))
        }
        try given.forEach { (known, name, value) throws(EnvelopeError) in
            let isKept = known == .contentLength ? keepsLength : HopByHop.travelsToThirdParty(known, name)
            guard isKept, !nominated.contains(name) else { return }
            guard HTTPSyntax.isToken(name), HTTPSyntax.isFieldValue(value) else { throw .illegalField }
            output.appendFieldLine(name, value)
        }
        let byteCount = output.count - lengthPlace - 4
        guard byteCount <= BinaryReplyReader.fieldSectionByteCountMax else {
            throw .headersTooLarge(byteCount: byteCount, byteCountMax: BinaryReplyReader.fieldSectionByteCountMax)
        }
        for index in 0..<4 { output[lengthPlace + index] = UInt8(truncatingIfNeeded: byteCount >> (24 - 8 * index)) }
        output[lengthPlace] |= 0x80
    }
}

/// Reads the head of a reply off the beginning of its stream, however its bytes are cut.
package struct BinaryReplyReader: Sendable {
    /// The same as for the header block of a request (data plane §9).
    package static let fieldSectionByteCountMax = 64 * 1024
    package static let fieldCountMax = 256

    private let isHeadRequest: Bool
    /// The beginning of a head that came in pieces.
    private var gathered: [UInt8] = []

    /// - Parameter isHeadRequest: whether the third party asked with HEAD.
    package init(isHeadRequest: Bool) { self.isHeadRequest = isHeadRequest }

    /// Nothing has come yet.
    package var isEmpty: Bool { gathered.isEmpty }

    package enum Step: Sendable {
        case needMore
        /// The head is complete; the body begins this far into the bytes that were given last.
        case head(ReplyEnvelope, bodyOffset: Int)
    }

    /// Takes the next bytes of the stream.
    package mutating func read(_ bytes: Span<UInt8>) throws(EnvelopeError) -> Step {
        guard !gathered.isEmpty else {
            if let (envelope, end) = try parse(bytes) { return .head(envelope, bodyOffset: end) }
            bytes.withUnsafeBufferPointer { gathered.append(contentsOf: $0) }
            return .needMore
        }
        let before = gathered.count
        // Not more than a head can have: what lies behind it is not copied.
        let room = ReplyEnvelope.preambleByteCountMax + Self.fieldSectionByteCountMax - before
        bytes.extracting(0..<min(max(room, 0), bytes.count)).withUnsafeBufferPointer { gathered.append(contentsOf: $0) }
        let all = gathered
        guard let (envelope, end) = try parse(all.span) else { return .needMore }
        gathered = []
        return .head(envelope, bodyOffset: end - before)
    }

    private func parse(_ bytes: Span<UInt8>) throws(EnvelopeError) -> (ReplyEnvelope, end: Int)? {
        guard !bytes.isEmpty else { return nil }
        guard bytes[0] == ReplyEnvelope.framingIndicator else { throw .malformedReply }
        var offset = 1
        guard let status = bytes.variableLength(at: &offset) else { return nil }
        guard (200...599).contains(status) else { throw .malformedField(.inkboxStatus) }
        guard let byteCount = bytes.variableLength(at: &offset) else { return nil }
        guard byteCount <= Self.fieldSectionByteCountMax else {
            throw .headersTooLarge(byteCount: byteCount, byteCountMax: Self.fieldSectionByteCountMax)
        }
        guard byteCount <= bytes.count - offset else { return nil }
        let end = offset + byteCount
        let section = bytes.extracting(offset..<end)
        return (try ReplyEnvelope(status: status, fieldSection: section, isHeadRequest: isHeadRequest), end)
    }
}

extension ReplyEnvelope {
    /// Reads and checks a field section, which is input like a third party's.
    fileprivate init(status: Int, fieldSection section: Span<UInt8>, isHeadRequest: Bool) throws(EnvelopeError) {
        self.status = status
        fields = HTTPFields()
        contentLength = nil
        announcedLength = nil
        let nominated = try Self.scan(section, reserving: &fields)
        let hasNoBody = ReplyEnvelope.hasNoBody(status: status, isHeadRequest: isHeadRequest)
        var length: Int?
        var reason: String?
        var offset = 0
        while offset < section.count {
            let name = section.extracting(try section.fieldPart(at: &offset))
            let value = section.extracting(try section.fieldPart(at: &offset))
            guard HTTPSyntax.isToken(name), !name.hasUppercase, HTTPSyntax.isFieldValue(value) else { throw .illegalField }
            let known = name.withUnsafeBufferPointer { KnownField(lowercased: $0) }
            if known == .contentLength {
                guard length == nil else { throw .repeatedField(.contentLength) }
                length = try value.contentLength()
            } else if known == .inkboxReason {
                guard reason == nil else { throw .repeatedField(.inkboxReason) }
                reason = String(decodingLossily: value)
            } else if HopByHop.travelsToThirdParty(known, name), !nominated.contains(name) {
                fields.append(name: name, value: value)
            }
        }
        if let reason {
            guard HTTPSyntax.isToken(reason.utf8.span) else { throw .malformedField(.inkboxReason) }
            fields.append("inkbox-reason", reason)
        }
        if hasNoBody { announcedLength = status == 204 ? nil : length } else { contentLength = length }
    }

    /// Looks over the whole section once: its lines are whole and not too many, and what `connection` names.
    private static func scan(_ section: Span<UInt8>, reserving fields: inout HTTPFields) throws(EnvelopeError)
        -> NominatedFields
    {
        var (offset, count) = (0, 0)
        var connection = HTTPFields()
        while offset < section.count {
            let name = section.extracting(try section.fieldPart(at: &offset))
            let value = section.extracting(try section.fieldPart(at: &offset))
            count += 1
            if name.equals("connection") { connection.append("connection", value: value) }
        }
        guard count <= BinaryReplyReader.fieldCountMax else { throw .malformedReply }
        fields.reserve(byteCount: section.count, fieldCount: count + 1)
        return NominatedFields(of: connection)
    }
}

// MARK: - Bytes

extension Span<UInt8> {
    /// A variable-length integer (RFC 9000 §16), or nil when it is not all there.
    fileprivate func variableLength(at offset: inout Int) -> Int? {
        guard offset < count else { return nil }
        let byteCount = 1 << Int(self[offset] >> 6)
        guard count - offset >= byteCount else { return nil }
        var value = Int(self[offset] & 0x3F)
        for index in 1..<byteCount { value = value << 8 | Int(self[offset + index]) }
        offset += byteCount
        return value
    }

    /// The place of a name, or of the value behind it, in a section that is all there (RFC 9292 §3.6).
    fileprivate func fieldPart(at offset: inout Int) throws(EnvelopeError) -> Range<Int> {
        guard let byteCount = variableLength(at: &offset), byteCount <= count - offset else { throw .malformedReply }
        offset += byteCount
        return offset - byteCount..<offset
    }

    fileprivate var hasUppercase: Bool { !allSatisfy { !(0x41...0x5A).contains($0) } }
}

extension [UInt8] {
    /// Appends a variable-length integer in its shortest form; the value is below 2^30.
    fileprivate mutating func appendVariableLength(_ value: Int) {
        switch value {
        case ..<64: append(UInt8(value))
        case ..<16_384:
            append(UInt8(value >> 8) | 0x40)
            append(UInt8(truncatingIfNeeded: value))
        default:
            append(UInt8(truncatingIfNeeded: value >> 24) | 0x80)
            for shift in [16, 8, 0] { append(UInt8(truncatingIfNeeded: value >> shift)) }
        }
    }

    fileprivate mutating func appendFieldLine(_ name: Span<UInt8>, _ value: Span<UInt8>) {
        appendVariableLength(name.count)
        name.withUnsafeBufferPointer { append(contentsOf: $0) }
        appendVariableLength(value.count)
        value.withUnsafeBufferPointer { append(contentsOf: $0) }
    }

    fileprivate mutating func appendFieldLine(_ name: StaticString, _ value: String) {
        appendVariableLength(name.utf8CodeUnitCount)
        name.withUTF8Buffer { append(contentsOf: $0) }
        appendVariableLength(value.utf8.count)
        append(contentsOf: value.utf8)
    }
}
