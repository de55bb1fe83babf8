/// The fields of an `application/x-www-form-urlencoded` body (WHATWG URL §5.1).
struct FormFields: Hashable {
    /// In the order of the body.
    let pairs: [(name: [UInt8], value: [UInt8])]

    static func == (left: FormFields, right: FormFields) -> Bool {
        left.pairs.elementsEqual(right.pairs) { $0.name == $1.name && $0.value == $1.value }
    }

    func hash(into hasher: inout Hasher) {
        for pair in pairs {
            hasher.combine(pair.name)
            hasher.combine(pair.value)
        }
    }

    /// Nil when an escape is cut short or no hexadecimal.
    init?(_ body: [UInt8]) {
        var pairs: [(name: [UInt8], value: [UInt8])] = []
        for part in body.split(separator: UInt8(ascii: "&")) {
            let equals = part.firstIndex(of: UInt8(ascii: "=")) ?? part.endIndex
            guard let name = Self.decode(part[..<equals]), let value = Self.decode(part[equals...].dropFirst()) else {
                return nil
            }
            pairs.append((name, value))
        }
        self.pairs = pairs
    }

    /// Every distinct name with each of its distinct values, sorted, without anything between them.
    var sortedText: [UInt8] {
        var values: [[UInt8]: Set<[UInt8]>] = [:]
        for pair in pairs { values[pair.name, default: []].insert(pair.value) }
        var text: [UInt8] = []
        for (name, values) in values.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
            for value in values.sorted(by: { $0.lexicographicallyPrecedes($1) }) { text += name + value }
        }
        return text
    }

    private static func decode(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        var bytes: [UInt8] = []
        var index = text.startIndex
        while index < text.endIndex {
            switch text[index] {
            case UInt8(ascii: "+"): bytes.append(0x20)
            case UInt8(ascii: "%"):
                guard text.endIndex - index > 2, let high = HTTPSyntax.hexValue(text[index + 1]),
                    let low = HTTPSyntax.hexValue(text[index + 2])
                else { return nil }
                bytes.append(UInt8(high << 4 | low))
                index += 2
            default: bytes.append(text[index])
            }
            index += 1
        }
        return bytes
    }
}
