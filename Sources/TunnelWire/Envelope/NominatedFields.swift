/// The names that a message's `Connection` fields declare to be of this connection only (RFC 9110 §7.6.1).
package struct NominatedFields {
    /// The names in lower case, each followed by a comma.
    private var names: [UInt8] = []

    /// Nothing is kept, and nothing allocated, for the options that everybody sends.
    package init(of fields: HTTPFields, prefix: StaticString = "") {
        fields.forEach { known, name, value in
            guard prefix.utf8CodeUnitCount == 0 ? known == .connection : name.isConnection(behind: prefix) else { return }
            value.forEachListElement { option in
                let isUsual =
                    option.equalsIgnoringCase("keep-alive") || option.equalsIgnoringCase("close")
                    || option.equalsIgnoringCase("upgrade")
                if !isUsual { append(option) }
            }
        }
    }

    package func contains(_ name: Span<UInt8>) -> Bool {
        if names.isEmpty { return false }
        let all = names.span
        var start = 0
        while start < all.count {
            let end = all.firstIndex(of: UInt8(ascii: ","), from: start) ?? all.count
            if all.extracting(start..<end).equalsIgnoringCase(name) { return true }
            start = end + 1
        }
        return false
    }

    private mutating func append(_ option: Span<UInt8>) {
        for index in option.indices { names.append(option[index]) }
        names.append(UInt8(ascii: ","))
    }
}

extension Span<UInt8> {
    fileprivate func isConnection(behind prefix: StaticString) -> Bool {
        hasPrefix(prefix) && extracting(prefix.utf8CodeUnitCount..<count).equals("connection")
    }
}
