/// A list of header or trailer fields, in order, repeats kept (RFC 9110 §5).
///
/// All names and values lie in one byte buffer, so that a whole header section costs two allocations, or none when the
/// value is reused with `removeAll`. Names are kept in lower case; values are kept as they came, without outer blanks.
package struct HTTPFields: Sendable {
    /// Where one field lies in the buffer.
    private struct Entry {
        var nameOffset: UInt32
        var nameByteCount: UInt32
        var valueByteCount: UInt32
        var known: KnownField
        var valueOffset: UInt32 { nameOffset + nameByteCount }
    }

    private var bytes: [UInt8] = []
    private var entries: [Entry] = []

    package init() {}

    package var count: Int { entries.count }
    package var isEmpty: Bool { entries.isEmpty }

    /// The bytes of all names and values together.
    package var byteCount: Int { bytes.count }

    package mutating func reserve(byteCount: Int, fieldCount: Int) {
        bytes.reserveCapacity(byteCount)
        entries.reserveCapacity(fieldCount)
    }

    /// Forgets every field and keeps the memory.
    package mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        entries.removeAll(keepingCapacity: true)
    }
}

// MARK: - Adding

extension HTTPFields {
    /// Adds a field; the name is folded to lower case. The caller has checked both for legal bytes.
    package mutating func append(name: Span<UInt8>, value: Span<UInt8>) {
        let offset = bytes.count
        name.withUnsafeBufferPointer { source in
            for byte in source { bytes.append(byte.asciiLowercased) }
        }
        value.withUnsafeBufferPointer { bytes.append(contentsOf: $0) }
        appendEntry(nameOffset: offset, nameByteCount: name.count, valueByteCount: value.count)
    }

    package mutating func append(_ name: StaticString, _ value: String) {
        let offset = bytes.count
        name.withUTF8Buffer { bytes.append(contentsOf: $0) }
        let nameByteCount = bytes.count - offset
        bytes.append(contentsOf: value.utf8)
        appendEntry(nameOffset: offset, nameByteCount: nameByteCount, valueByteCount: bytes.count - offset - nameByteCount)
    }

    /// Adds a field whose name is known only at run time; it is folded to lower case.
    package mutating func append(name: String, value: String) {
        var name = Array(name.utf8)
        for index in name.indices { name[index] = name[index].asciiLowercased }
        append(name: name.span, value: Array(value.utf8).span)
    }

    private mutating func appendEntry(nameOffset: Int, nameByteCount: Int, valueByteCount: Int) {
        let known = bytes.withUnsafeBufferPointer {
            KnownField(lowercased: UnsafeBufferPointer(rebasing: $0[nameOffset..<nameOffset + nameByteCount]))
        }
        entries.append(
            Entry(
                nameOffset: UInt32(nameOffset), nameByteCount: UInt32(nameByteCount), valueByteCount: UInt32(valueByteCount),
                known: known))
    }
}

// MARK: - Reading

extension HTTPFields {
    /// Calls the closure with every field in order; the spans are valid only during the call.
    package func forEach<Failure: Error>(
        _ body: (_ known: KnownField, _ name: Span<UInt8>, _ value: Span<UInt8>) throws(Failure) -> Void
    ) throws(Failure) {
        let all = bytes.span
        for entry in entries {
            let valueOffset = Int(entry.valueOffset)
            try body(
                entry.known, all.extracting(Int(entry.nameOffset)..<valueOffset),
                all.extracting(valueOffset..<valueOffset + Int(entry.valueByteCount)))
        }
    }

    /// The number of fields with this name.
    package func count(of field: KnownField) -> Int {
        entries.reduce(0) { $0 + ($1.known == field ? 1 : 0) }
    }

    /// The value of the first field with this name, or nil.
    package func first(_ field: KnownField) -> String? {
        guard let entry = entries.first(where: { $0.known == field }) else { return nil }
        return text(of: entry)
    }

    /// The value of the first field with this lower-case name, or nil. Meant for names that `KnownField` lacks.
    package func first(named name: String) -> String? {
        entries.first { nameText(of: $0) == name }.map(text(of:))
    }

    /// Every value of this name, in order.
    package func all(_ field: KnownField) -> [String] {
        entries.filter { $0.known == field }.map(text(of:))
    }

    /// Every field as text; for tests, logs and slow paths.
    package var pairs: [(name: String, value: String)] {
        entries.map { (nameText(of: $0), text(of: $0)) }
    }

    private func nameText(of entry: Entry) -> String {
        String(decoding: bytes[Int(entry.nameOffset)..<Int(entry.valueOffset)], as: UTF8.self)
    }

    private func text(of entry: Entry) -> String {
        let start = Int(entry.valueOffset)
        return String(decoding: bytes[start..<start + Int(entry.valueByteCount)], as: UTF8.self)
    }
}

extension UInt8 {
    /// The byte with A–Z folded to a–z.
    package var asciiLowercased: UInt8 { (0x41...0x5A).contains(self) ? self | 0x20 : self }
}
