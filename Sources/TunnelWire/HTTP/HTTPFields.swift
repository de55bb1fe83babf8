/// A list of header or trailer fields, in order, repeats kept (RFC 9110 §5).
///
/// All fields lie one after another in one byte buffer, each behind a small record that tells its lengths, so that a whole
/// header section costs one allocation, or none when the value is reused with `removeAll`. Names are kept in lower case;
/// values are kept as they came, without outer blanks.
package struct HTTPFields: Sendable {
    /// What stands before each field: which known name it has and how long its name and value are.
    @usableFromInline
    struct Record {
        @usableFromInline static let byteCount = 8
        @usableFromInline let word: UInt64

        @inlinable
        init(word: UInt64) { self.word = word }

        @inlinable
        init(known: KnownField, nameByteCount: Int, valueByteCount: Int) {
            precondition(nameByteCount < 1 << 24 && valueByteCount < 1 << 32, "a decoder's limits refused this already")
            word = UInt64(known.rawValue) | UInt64(nameByteCount) << 8 | UInt64(valueByteCount) << 32
        }

        @inlinable var knownByte: UInt8 { UInt8(truncatingIfNeeded: word) }
        @inlinable var known: KnownField { KnownField(rawValue: knownByte) ?? .other }
        @inlinable var nameByteCount: Int { Int(word >> 8 & 0xFF_FFFF) }
        @inlinable var valueByteCount: Int { Int(word >> 32) }
    }

    @usableFromInline var bytes: [UInt8] = []
    /// The number of fields.
    package private(set) var count = 0

    package init() {}

    package var isEmpty: Bool { count == 0 }

    /// The bytes of all names and values together.
    package var byteCount: Int { bytes.count - count * Record.byteCount }

    /// Makes room for fields whose names and values have this many bytes together.
    package mutating func reserve(byteCount: Int, fieldCount: Int) {
        bytes.reserveCapacity(byteCount + fieldCount * Record.byteCount)
    }

    /// Forgets every field and keeps the memory.
    package mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        count = 0
    }
}

// MARK: - Adding

extension HTTPFields {
    /// Adds a field and says which known name it has; the name is folded to lower case.
    /// The caller has checked both for legal bytes.
    @discardableResult
    package mutating func append(name: Span<UInt8>, value: Span<UInt8>) -> KnownField {
        name.withUnsafeBufferPointer { name in value.withUnsafeBufferPointer { appendField(prefix: "", name: name, value: $0) }
        }
    }

    /// Adds a field whose name is the prefix and the given name in one.
    package mutating func append(prefix: StaticString, name: Span<UInt8>, value: Span<UInt8>) {
        name.withUnsafeBufferPointer { name in
            value.withUnsafeBufferPointer { _ = appendField(prefix: prefix, name: name, value: $0) }
        }
    }

    package mutating func append(_ name: StaticString, _ value: String) {
        var value = value
        value.withUTF8 { value in name.withUTF8Buffer { _ = appendField(prefix: "", name: $0, value: value) } }
    }

    package mutating func append(_ name: StaticString, value: Span<UInt8>) {
        value.withUnsafeBufferPointer { value in name.withUTF8Buffer { _ = appendField(prefix: "", name: $0, value: value) } }
    }

    /// Adds a field whose name is known only at run time; it is folded to lower case.
    package mutating func append(name: String, value: String) {
        var (name, value) = (name, value)
        name.withUTF8 { name in value.withUTF8 { _ = appendField(prefix: "", name: name, value: $0) } }
    }

    private mutating func appendField(
        prefix: StaticString, name: UnsafeBufferPointer<UInt8>, value: UnsafeBufferPointer<UInt8>
    ) -> KnownField {
        let prefixByteCount = prefix.utf8CodeUnitCount
        let nameByteCount = prefixByteCount + name.count
        var known = KnownField.other
        bytes.append(addingCapacity: Record.byteCount + nameByteCount + value.count) { output in
            output.withUnsafeMutableBufferPointer { room, initialized in
                guard let field = room.baseAddress else { return }
                let start = field + Record.byteCount
                for index in 0..<prefixByteCount { start[index] = prefix.utf8Start[index] }
                for index in 0..<name.count { start[prefixByteCount + index] = name[index].asciiLowercased }
                if let source = value.baseAddress {
                    (start + nameByteCount).update(from: source, count: value.count)
                }
                known = KnownField(lowercased: UnsafeBufferPointer(start: start, count: nameByteCount))
                let record = Record(known: known, nameByteCount: nameByteCount, valueByteCount: value.count)
                UnsafeMutableRawPointer(field).storeBytes(of: record.word, as: UInt64.self)
                initialized = Record.byteCount + nameByteCount + value.count
            }
        }
        count += 1
        return known
    }
}

// MARK: - Reading

extension HTTPFields {
    /// Calls the closure with every field in order; the spans are valid only during the call.
    @inlinable
    package func forEach<Failure: Error>(
        _ body: (_ known: KnownField, _ name: Span<UInt8>, _ value: Span<UInt8>) throws(Failure) -> Void
    ) throws(Failure) {
        let all = bytes.span
        var offset = 0
        while offset < all.count {
            let record = Record(word: all.bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self))
            let nameOffset = offset + Record.byteCount
            let valueOffset = nameOffset + record.nameByteCount
            offset = valueOffset + record.valueByteCount
            try body(record.known, all.extracting(nameOffset..<valueOffset), all.extracting(valueOffset..<offset))
        }
    }

    /// The number of fields with this name.
    package func count(of field: KnownField) -> Int {
        var count = 0
        forEach { known, _, _ in if known == field { count += 1 } }
        return count
    }

    package func contains(_ field: KnownField) -> Bool { valueRange(of: field) != nil }

    /// The value of the first field with this name, or nil.
    package func first(_ field: KnownField) -> String? {
        valueRange(of: field).map(text)
    }

    /// Calls the closure with the value of the first field with this name, or answers nil.
    @inlinable
    package func withFirst<Result>(_ field: KnownField, _ body: (Span<UInt8>) -> Result) -> Result? {
        guard let range = valueRange(of: field) else { return nil }
        return body(bytes.span.extracting(range))
    }

    /// The value of the first field with this lower-case name, or nil. Meant for names that `KnownField` lacks.
    package func first(named name: String) -> String? {
        pairs.first { $0.name == name }?.value
    }

    /// Every value of this name, in order.
    package func all(_ field: KnownField) -> [String] {
        var values: [String] = []
        forEach { known, _, value in if known == field { values.append(String(decodingLossily: value)) } }
        return values
    }

    /// Every field as text; for tests, logs and slow paths.
    package var pairs: [(name: String, value: String)] {
        var pairs: [(name: String, value: String)] = []
        forEach { _, name, value in pairs.append((String(decodingLossily: name), String(decodingLossily: value))) }
        return pairs
    }

    @usableFromInline
    func valueRange(of field: KnownField) -> Range<Int>? {
        let all = bytes.span
        var offset = 0
        while offset < all.count {
            let record = Record(word: all.bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self))
            let valueOffset = offset + Record.byteCount + record.nameByteCount
            offset = valueOffset + record.valueByteCount
            if record.knownByte == field.rawValue { return valueOffset..<offset }
        }
        return nil
    }

    private func text(in range: Range<Int>) -> String {
        String(decodingLossily: bytes.span.extracting(range))
    }
}

extension String {
    /// The bytes as text, copied once; what is not UTF-8 becomes U+FFFD.
    package init(decodingLossily bytes: Span<UInt8>) {
        self = bytes.withUnsafeBufferPointer { String(decoding: $0, as: UTF8.self) }
    }
}

extension UInt8 {
    /// The byte with A–Z folded to a–z.
    @inlinable
    package var asciiLowercased: UInt8 { (0x41...0x5A).contains(self) ? self | 0x20 : self }
}
