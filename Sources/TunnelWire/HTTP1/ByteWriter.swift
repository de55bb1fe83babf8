/// Writes into room that was measured beforehand, and traps rather than write past it.
struct ByteWriter: ~Copyable {
    private let room: UnsafeMutableBufferPointer<UInt8>
    private(set) var byteCount = 0

    init(room: UnsafeMutableBufferPointer<UInt8>) { self.room = room }

    mutating func write(_ byte: UInt8) {
        room[byteCount] = byte
        byteCount += 1
    }

    mutating func write(_ text: StaticString) {
        copy(text.utf8Start, text.utf8CodeUnitCount)
    }

    mutating func write(_ bytes: Span<UInt8>) {
        bytes.withUnsafeBufferPointer { source in
            guard let start = source.baseAddress else { return }
            copy(start, source.count)
        }
    }

    mutating func write(_ text: String) {
        var text = text
        text.withUTF8 { source in
            guard let start = source.baseAddress else { return }
            copy(start, source.count)
        }
    }

    /// The number in decimal digits; at most 20 bytes.
    mutating func write(decimal number: Int) {
        write(number, radix: 10)
    }

    /// The number in lower-case hexadecimal digits; at most 16 bytes.
    mutating func write(hexadecimal number: Int) {
        write(number, radix: 16)
    }

    private mutating func write(_ number: Int, radix: Int) {
        precondition(number >= 0, "lengths and status codes are never negative")
        var divisor = 1
        while number / divisor >= radix { divisor *= radix }
        while divisor > 0 {
            let digit = UInt8(number / divisor % radix)
            write(digit < 10 ? 0x30 + digit : 0x61 + digit - 10)
            divisor /= radix
        }
    }

    private mutating func copy(_ source: UnsafePointer<UInt8>, _ count: Int) {
        precondition(count <= room.count - byteCount, "the room was measured for less")
        guard let start = room.baseAddress else { return }
        (start + byteCount).update(from: source, count: count)
        byteCount += count
    }
}

extension [UInt8] {
    /// Appends what the closure writes into at most this much room; appends nothing if it throws.
    mutating func append(
        byteCountMax: Int, _ body: (inout ByteWriter) throws(HTTP1Error) -> Void
    ) throws(HTTP1Error) {
        try append(addingCapacity: byteCountMax) { (output) throws(HTTP1Error) in
            try output.withUnsafeMutableBufferPointer { (room, initializedCount) throws(HTTP1Error) in
                var writer = ByteWriter(room: room)
                try body(&writer)
                initializedCount = writer.byteCount
            }
        }
    }
}
