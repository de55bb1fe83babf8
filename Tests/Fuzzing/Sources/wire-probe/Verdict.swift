import TunnelWire

/// What the decoders made of a message, to be compared with what another implementation made of it.
struct Verdict {
    var heads: [String] = []
    var bodies: [[UInt8]] = []
    var endCount = 0
    var error: String?

    /// One line of JSON.
    var json: [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.name("heads")
        writer.beginArray()
        for head in heads { writer.string(head) }
        writer.endArray()
        writer.name("bodies")
        writer.beginArray()
        for body in bodies { writer.string(body.map { hex($0) }.joined()) }
        writer.endArray()
        writer.name("ends")
        writer.integer(endCount)
        writer.name("error")
        if let error { writer.string(error) } else { writer.null() }
        writer.endObject()
        return writer.bytes + [0x0A]
    }

    private func hex(_ byte: UInt8) -> String { (byte < 16 ? "0" : "") + String(byte, radix: 16) }
}

func ofRequests(_ message: [UInt8]) -> Verdict {
    var verdict = Verdict()
    var decoder = HTTP1RequestDecoder()
    var start = 0
    do {
        while true {
            let (consumed, event) = try decoder.receive(message.span.extracting(start..<message.count))
            switch event {
            case .needMore: return verdict
            case .head(let head, _):
                verdict.heads.append("\(head.method) \(head.target)")
                verdict.bodies.append([])
            case .body(let range):
                verdict.bodies[verdict.bodies.count - 1] += message[start + range.lowerBound..<start + range.upperBound]
            case .end: verdict.endCount += 1
            }
            start += consumed
        }
    } catch {
        verdict.error = "\(error)"
        return verdict
    }
}

func ofResponse(_ message: [UInt8]) -> Verdict {
    var verdict = Verdict()
    var decoder = HTTP1ResponseDecoder()
    decoder.expectResponse(to: "GET")
    var start = 0
    do {
        while true {
            let (consumed, event) = try decoder.receive(message.span.extracting(start..<message.count))
            switch event {
            case .needMore:
                if case .end = try decoder.connectionClosed() { verdict.endCount += 1 }
                return verdict
            case .head(let head, let facts):
                verdict.heads.append("\(head.status)")
                if !facts.isInterim && !facts.endsHTTP { verdict.bodies.append([]) }
            case .body(let range):
                verdict.bodies[verdict.bodies.count - 1] += message[start + range.lowerBound..<start + range.upperBound]
            case .end: verdict.endCount += 1
            }
            start += consumed
        }
    } catch {
        verdict.error = "\(error)"
        return verdict
    }
}
