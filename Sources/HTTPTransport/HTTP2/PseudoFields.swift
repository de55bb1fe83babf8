/// The pseudo-fields of one message, values one behind the other in a buffer that is used again for the next.
struct PseudoFields {
    private var names: [StaticString] = []
    private var ends: [Int] = []
    private var bytes: [UInt8] = []

    mutating func removeAll() {
        names.removeAll(keepingCapacity: true)
        ends.removeAll(keepingCapacity: true)
        bytes.removeAll(keepingCapacity: true)
    }

    mutating func append(_ name: StaticString, _ value: String) {
        names.append(name)
        bytes.append(contentsOf: value.utf8)
        ends.append(bytes.count)
    }

    func forEach(_ body: (_ name: UnsafeBufferPointer<UInt8>, _ value: UnsafeBufferPointer<UInt8>) -> Void) {
        bytes.withUnsafeBufferPointer { bytes in
            var start = 0
            for (name, end) in zip(names, ends) {
                body(
                    UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount),
                    UnsafeBufferPointer(rebasing: bytes[start..<end]))
                start = end
            }
        }
    }
}
