import TunnelWire

/// The response decoder must answer any bytes alike in one piece and in two, for each kind of request.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzResponses(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = [UInt8](UnsafeBufferPointer(start: start, count: count))
    let cut = input.isEmpty ? 0 : Int(input[input.count - 1]) * input.count / 256
    for method in ["GET", "HEAD", "CONNECT"] {
        let whole = answers(input, to: method, cut: input.count)
        precondition(answers(input, to: method, cut: cut) == whole, "cut at \(cut) the same bytes say something else")
    }
    return 0
}

/// What was said, flat, so that comparing it is cheap.
private struct Answers: Equatable {
    var texts: [String] = []
    var facts: [HTTP1ResponseFacts] = []
    var body: [UInt8] = []

    mutating func note(_ fields: HTTPFields) {
        for (name, value) in fields.pairs { texts += [name, value] }
    }
}

private func answers(_ input: [UInt8], to method: String, cut: Int) -> Answers {
    var decoder = HTTP1ResponseDecoder()
    decoder.expectResponse(to: method)
    var answers = Answers()
    var start = 0
    for end in [cut, input.count] {
        while true {
            guard let (consumed, event) = try? decoder.receive(input.span.extracting(start..<end)) else {
                answers.texts.append("refused")
                return answers
            }
            precondition(consumed >= 0 && start + consumed <= end, "consumed more than there was")
            if case .body(let range) = event { answers.body += input[start + range.lowerBound..<start + range.upperBound] }
            start += consumed
            if case .needMore = event { break }
            if case .head(let head, let facts) = event {
                answers.texts.append(String(head.status))
                answers.facts.append(facts)
                answers.note(head.fields)
            }
            if case .end(let trailers) = event {
                answers.texts.append("end after \(answers.body.count)")
                if let trailers { answers.note(trailers) }
            }
        }
    }
    do {
        answers.texts.append(try decoder.connectionClosed() == nil ? "nothing open" : "ended by closing")
    } catch {
        answers.texts.append("cut short")
    }
    return answers
}
