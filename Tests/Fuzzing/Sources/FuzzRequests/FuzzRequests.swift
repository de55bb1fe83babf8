import TunnelWire

/// The request decoder must answer any bytes alike in one piece and in two, and what it accepts must survive a round trip.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzRequests(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = [UInt8](UnsafeBufferPointer(start: start, count: count))
    let whole = answers(input, cut: input.count)
    // The cut is a part of the input: the first byte says where it is.
    let cut = input.isEmpty ? 0 : Int(input[0]) * input.count / 256
    precondition(answers(input, cut: cut) == whole, "cut at \(cut) the same bytes say something else")
    return 0
}

/// What was said, flat, so that comparing it is cheap.
private struct Answers: Equatable {
    var texts: [String] = []
    var facts: [HTTP1RequestFacts] = []
    var body: [UInt8] = []

    mutating func note(_ fields: HTTPFields) {
        for (name, value) in fields.pairs { texts += [name, value] }
    }
}

private func answers(_ input: [UInt8], cut: Int) -> Answers {
    var decoder = HTTP1RequestDecoder()
    var answers = Answers()
    var start = 0
    for end in [cut, input.count] {
        while true {
            guard let (consumed, event) = try? decoder.receive(input.span.extracting(start..<end)) else {
                answers.texts.append("refused")
                return answers
            }
            precondition(consumed >= 0 && start + consumed <= end, "consumed more than there was")
            if case .body(let range) = event {
                precondition(!range.isEmpty && range.upperBound == consumed, "body bytes end where consumption ends")
                answers.body += input[start + range.lowerBound..<start + range.upperBound]
            }
            start += consumed
            if case .needMore = event { break }
            if case .head(let head, let facts) = event {
                answers.texts += [head.method, head.target, head.authority]
                answers.facts.append(facts)
                answers.note(head.fields)
                checkRoundTrip(head)
            }
            if case .end(let trailers) = event {
                answers.texts.append("end after \(answers.body.count)")
                if let trailers { answers.note(trailers) }
            }
        }
    }
    return answers
}

/// An accepted head, written by us, is accepted again and says the same.
private func checkRoundTrip(_ head: HTTPRequestHead) {
    guard !head.target.isEmpty, !head.authority.isEmpty else { return }
    var output: [UInt8] = []
    guard (try? HTTP1Serializer.appendRequestHead(head, framing: .nothing, into: &output)) != nil else {
        preconditionFailure("an accepted head cannot be written: \(head)")
    }
    var decoder = HTTP1RequestDecoder()
    guard let (consumed, event) = try? decoder.receive(output.span), case .head(let again, _) = event else {
        // Ours may be longer than what was read: a blank after each colon.
        precondition(output.count > 60_000 || head.fields.count > 98, "a written head is refused: \(head)")
        return
    }
    precondition(consumed == output.count && again.method == head.method && again.target == head.target)
    precondition(again.authority == head.authority)
}
