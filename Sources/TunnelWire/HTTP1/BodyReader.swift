/// Walks over a body and its trailers once the head has told how the body is framed.
struct BodyReader: Sendable {
    enum Step {
        /// More input is needed; this much of it was used.
        case needMore(consumed: Int)
        /// These bytes of the input are body; everything up to their end was used.
        case data(Range<Int>)
        case end(consumed: Int, trailers: HTTPFields?)
    }

    private enum State: Sendable {
        case data(remaining: Int)
        case untilClose
        case chunkLine
        case chunkData(remaining: Int)
        case chunkEnd
        case trailers(byteCount: Int)
        case ended
    }

    private var state: State
    private var lines = LineReader()
    private var section = FieldSection()

    init(length: HTTP1BodyLength) {
        state =
            switch length {
            case .none: .ended
            case .length(let byteCount): .data(remaining: byteCount)
            case .chunked: .chunkLine
            case .untilClose: .untilClose
            }
    }

    /// Whether the end of the connection is the end of the body.
    var endsAtClose: Bool { if case .untilClose = state { true } else { false } }

    mutating func next(in input: Span<UInt8>, limits: HTTP1Limits) throws(HTTP1Error) -> Step {
        var offset = 0
        while true {
            switch state {
            case .ended: return .end(consumed: offset, trailers: nil)
            case .untilClose: return input.isEmpty ? .needMore(consumed: 0) : .data(0..<input.count)
            case .data(let remaining): return takeData(remaining, of: input)
            case .chunkData(let remaining): return takeChunkData(remaining, of: input, from: offset)
            case .chunkLine:
                guard try readChunkLine(input, &offset, limits) else { return .needMore(consumed: offset) }
            case .chunkEnd:
                guard try readChunkEnd(input, &offset) else { return .needMore(consumed: offset) }
            case .trailers(let byteCount):
                return try readTrailers(input, offset, byteCount, limits)
            }
        }
    }

    private mutating func takeData(_ remaining: Int, of input: Span<UInt8>) -> Step {
        guard !input.isEmpty else { return .needMore(consumed: 0) }
        let count = min(remaining, input.count)
        state = count == remaining ? .ended : .data(remaining: remaining - count)
        return .data(0..<count)
    }

    private mutating func takeChunkData(_ remaining: Int, of input: Span<UInt8>, from offset: Int) -> Step {
        guard offset < input.count else { return .needMore(consumed: offset) }
        let count = min(remaining, input.count - offset)
        state = count == remaining ? .chunkEnd : .chunkData(remaining: remaining - count)
        return .data(offset..<offset + count)
    }

    private mutating func readChunkLine(
        _ input: Span<UInt8>, _ offset: inout Int, _ limits: HTTP1Limits
    ) throws(HTTP1Error) -> Bool {
        guard let count = try lines.lineByteCount(in: input, from: offset) else {
            // One byte more than the line may have can only be its CR.
            if input.count - offset > limits.chunkLineByteCountMax + 1 { throw .chunkLineTooLong }
            return false
        }
        guard count <= limits.chunkLineByteCountMax else { throw .chunkLineTooLong }
        let size = try ChunkLine.size(input.extracting(offset..<offset + count))
        offset += count + 2
        state = size == 0 ? .trailers(byteCount: 0) : .chunkData(remaining: size)
        return true
    }

    private mutating func readChunkEnd(_ input: Span<UInt8>, _ offset: inout Int) throws(HTTP1Error) -> Bool {
        let available = input.count - offset
        if available >= 1, input[offset] != 0x0D { throw .missingChunkEnd }
        if available >= 2, input[offset + 1] != 0x0A { throw .missingChunkEnd }
        guard available >= 2 else { return false }
        offset += 2
        state = .chunkLine
        return true
    }

    private mutating func readTrailers(
        _ input: Span<UInt8>, _ start: Int, _ byteCountBefore: Int, _ limits: HTTP1Limits
    ) throws(HTTP1Error) -> Step {
        var offset = start
        var byteCount = byteCountBefore
        while true {
            guard let count = try lines.lineByteCount(in: input, from: offset) else {
                if byteCount + input.count - offset > limits.trailerByteCountMax { throw .trailersTooLarge }
                state = .trailers(byteCount: byteCount)
                return .needMore(consumed: offset)
            }
            byteCount += count + 2
            guard byteCount <= limits.trailerByteCountMax else { throw .trailersTooLarge }
            let line = input.extracting(offset..<offset + count)
            offset += count + 2
            if count == 0 {
                state = .ended
                return .end(consumed: offset, trailers: section.isEmpty ? nil : section.take())
            }
            try section.append(trailerLine: line, countMax: limits.fieldCountMax)
        }
    }
}
