/// Takes field lines one by one into a field list and notes what they say about framing.
struct FieldSection: Sendable {
    private(set) var fields = HTTPFields()
    private(set) var framing = FramingFields()
    private var trailerCount = 0

    var isEmpty: Bool { fields.isEmpty }

    /// Makes room before the first line; the input that is there is a good guess of what will come.
    mutating func begin(inputByteCount: Int) {
        fields.reserve(byteCount: min(max(inputByteCount, 256), 2048), fieldCount: 16)
    }

    /// Adds one line without its line end.
    mutating func append(
        line: Span<UInt8>, countMax: Int, in direction: MessageDirection
    ) throws(HTTP1Error) {
        let colon = try colonIndex(in: line)
        let value = line.extracting(line.rangeWithoutOuterBlanks(colon + 1..<line.count))
        guard HTTPSyntax.isFieldValue(value) else { throw illegalValue(value) }
        guard fields.count < countMax else { throw .tooManyFields }
        let known = fields.append(name: line.extracting(0..<colon), value: value)
        try framing.note(known, value, in: direction)
    }

    /// Adds one line of a trailer section, or drops it when its name has no business there (RFC 9110 §6.5.1).
    mutating func append(trailerLine line: Span<UInt8>, countMax: Int) throws(HTTP1Error) {
        var single = FieldSection()
        try single.append(line: line, countMax: 1, in: .response)
        trailerCount += 1
        guard trailerCount <= countMax else { throw .tooManyFields }
        try single.fields.forEach { (known, name, value) throws(HTTP1Error) in
            switch known.trailerVerdict {
            case .keep: fields.append(name: name, value: value)
            case .drop: break
            case .refuse: throw .forbiddenTrailer
            }
        }
    }

    /// Gives away what was gathered and starts anew.
    mutating func take() -> HTTPFields {
        let taken = fields
        self = FieldSection()
        return taken
    }

    private func colonIndex(in line: Span<UInt8>) throws(HTTP1Error) -> Int {
        var index = 0
        while index < line.count, HTTPSyntax.isToken(line[index]) { index += 1 }
        guard index < line.count else { throw .missingColon }
        if line[index] == UInt8(ascii: ":"), index > 0 { return index }
        throw nameError(in: line, at: index)
    }

    private func nameError(in line: Span<UInt8>, at index: Int) -> HTTP1Error {
        switch line[index] {
        case UInt8(ascii: ":"): .emptyFieldName
        case 0x20, 0x09: index == 0 ? .foldedField : .blankBeforeColon
        case 0x0D: .bareCarriageReturn
        default: .illegalFieldName
        }
    }

    private func illegalValue(_ value: Span<UInt8>) -> HTTP1Error {
        value.firstIndex(of: 0x0D) == nil ? .illegalFieldValue : .bareCarriageReturn
    }
}
