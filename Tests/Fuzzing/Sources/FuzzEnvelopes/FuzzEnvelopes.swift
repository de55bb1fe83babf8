import TunnelWire

/// Whatever fields an agent or a server sends, what comes out of an envelope can be written as clean HTTP/1.1.
///
/// The input is a list of fields: a name, a zero byte or a colon, a value, a line feed.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzEnvelopes(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = [UInt8](UnsafeBufferPointer(start: start, count: count))
    var fields = HTTPFields()
    for line in input.split(separator: 0x0A, omittingEmptySubsequences: false) {
        let end = line.firstIndex { $0 == 0 || $0 == 0x3A } ?? line.endIndex
        let (name, value) = (Array(line[..<end]), Array(line[end...].dropFirst()))
        fields.append(name: name.span, value: value.span)
    }
    checkReply(fields, isHeadRequest: input.count.isMultiple(of: 2))
    checkRequest(fields)
    checkEncoding(fields)
    checkBinary(input, isHeadRequest: input.count.isMultiple(of: 2))
    checkBinaryEncoding(fields)
    checkTrailers(fields)
    return 0
}

/// The input as the beginning of a reply on the intake's stream: cut in two it says the same as whole.
private func checkBinary(_ input: [UInt8], isHeadRequest: Bool) {
    var whole = BinaryReplyReader(isHeadRequest: isHeadRequest)
    guard let step = try? whole.read(input.span), case .head(let reply, let end) = step else { return }
    checkWritable(reply)
    var halves = BinaryReplyReader(isHeadRequest: isHeadRequest)
    let middle = end / 2
    guard let first = try? halves.read(input.span.extracting(0..<middle)), case .needMore = first,
        let second = try? halves.read(input.span.extracting(middle..<input.count)), case .head(let again, let rest) = second
    else { preconditionFailure("a head that is cut in two is another one") }
    precondition(middle + rest == end && again.fields.pairs.elementsEqual(reply.fields.pairs, by: ==))
}

private func checkBinaryEncoding(_ fields: HTTPFields) {
    var output: [UInt8] = []
    let head = HTTPResponseHead(status: 200, fields: fields)
    guard (try? ReplyEnvelope.encodeBinary(head, contentLength: 0, into: &output)) != nil else { return }
    var reader = BinaryReplyReader(isHeadRequest: false)
    // More fields than a server takes are the only reason to refuse what an agent has written.
    guard let step = try? reader.read(output.span) else { return precondition(fields.count >= BinaryReplyReader.fieldCountMax) }
    guard case .head(_, output.count) = step else { preconditionFailure("an encoded head is not whole") }
}

/// Trailers that may travel can be written behind a chunked body, all of them, and are read back alike.
private func checkTrailers(_ fields: HTTPFields) {
    for trailers in [TrailerFields.toAgent(fields), TrailerFields.toThirdParty(fields)] {
        guard let trailers else { continue }
        precondition(!trailers.isEmpty && !trailers.contains(.contentLength) && !trailers.contains(.te))
        var output = Array("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".utf8)
        guard (try? HTTP1Serializer.appendLastChunk(trailers: trailers, into: &output)) != nil else {
            preconditionFailure("trailers cannot be written: \(trailers.pairs)")
        }
        precondition(trailersRead(output)?.count == trailers.count, "trailers are lost: \(trailers.pairs)")
    }
}

private func trailersRead(_ input: [UInt8]) -> HTTPFields? {
    var decoder = HTTP1ResponseDecoder(limits: unlimited)
    decoder.expectResponse(to: "GET")
    var offset = 0
    while let (consumed, event) = try? decoder.receive(input.span.extracting(offset...)) {
        offset += consumed
        if case .end(let trailers) = event { return trailers }
        if case .needMore = event { return nil }
    }
    return nil
}

private func checkReply(_ fields: HTTPFields, isHeadRequest: Bool) {
    guard let reply = try? ReplyEnvelope(decoding: fields, isHeadRequest: isHeadRequest) else { return }
    checkWritable(reply)
}

private func checkWritable(_ reply: ReplyEnvelope) {
    precondition((200...599).contains(reply.status))
    precondition(!reply.fields.contains(.transferEncoding) && !reply.fields.contains(.connection))
    precondition(!reply.fields.contains(.contentLength) && !reply.fields.contains(.upgrade))
    var output: [UInt8] = []
    let head = HTTPResponseHead(status: reply.status, fields: reply.fields)
    guard (try? HTTP1Serializer.appendResponseHead(head, framing: .length(0), into: &output)) != nil else {
        preconditionFailure("a decoded reply cannot be written: \(reply.fields.pairs)")
    }
    var decoder = HTTP1ResponseDecoder(limits: unlimited)
    decoder.expectResponse(to: "GET")
    guard let answer = try? decoder.receive(output.span), case .head(let again, _) = answer.event else {
        preconditionFailure("a written reply is refused: \(reply.fields.pairs)")
    }
    precondition(answer.consumed == output.count && again.fields.count == reply.fields.count + 1)
}

private func checkRequest(_ fields: HTTPFields) {
    guard let envelope = try? RequestEnvelope(decoding: fields) else { return }
    precondition(!envelope.fields.contains(.host) && !envelope.fields.contains(.transferEncoding))
    precondition(!envelope.fields.contains(.contentLength) && !envelope.fields.contains(.xForwardedFor))
    _ = ForwardPath.isSafe(envelope.path)
    let head = HTTPRequestHead(method: envelope.method, target: envelope.path, authority: "a", fields: envelope.fields)
    var output: [UInt8] = []
    guard (try? HTTP1Serializer.appendRequestHead(head, framing: .nothing, into: &output)) != nil else {
        preconditionFailure("a decoded request cannot be written: \(envelope)")
    }
}

private func checkEncoding(_ fields: HTTPFields) {
    let head = HTTPRequestHead(method: "GET", target: "/", authority: "a", fields: fields)
    let context = RequestEnvelopeContext(
        requestID: "r", forwardedFor: "192.0.2.1", carriesTrailers: fields.count.isMultiple(of: 2))
    var output = HTTPFields()
    guard (try? RequestEnvelope.encode(head, context, headerListByteCountMax: 65_536, into: &output)) != nil else { return }
    precondition(output.headerListByteCount + 42 <= 65_536)
    precondition(output.count(of: .inkboxRequestId) == 1 && output.count(of: .inkboxForwardedFor) == 1)
}

private let unlimited = {
    var limits = HTTP1Limits()
    limits.headByteCountMax = .max
    limits.fieldCountMax = .max
    limits.trailerByteCountMax = .max
    return limits
}()
