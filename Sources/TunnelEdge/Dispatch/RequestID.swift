/// Makes and reads the ids of requests: opaque to everyone else, and never the same in two processes or on two loops.
struct RequestIDs {
    private static let prefixByteCount = 18
    private static let numberByteCount = 12
    static let byteCount = prefixByteCount + numberByteCount

    /// Sixteen hexadecimal digits that this process chose at random, then two for the loop.
    private let prefix: [UInt8]
    private var last: UInt64 = 0

    init(process: UInt64, loop: Int) {
        var prefix: [UInt8] = []
        RequestIDs.append(process, digitCount: 16, to: &prefix)
        RequestIDs.append(UInt64(truncatingIfNeeded: loop), digitCount: 2, to: &prefix)
        self.prefix = prefix
    }

    mutating func next() -> UInt64 {
        last += 1
        return last
    }

    func text(_ number: UInt64) -> String {
        String(unsafeUninitializedCapacity: RequestIDs.byteCount) { room in
            for index in prefix.indices { room[index] = prefix[index] }
            for place in 0..<RequestIDs.numberByteCount {
                let shift = UInt64(4 * (RequestIDs.numberByteCount - 1 - place))
                room[RequestIDs.prefixByteCount + place] = RequestIDs.digit(UInt8(number >> shift & 15))
            }
            return RequestIDs.byteCount
        }
    }

    /// The number in the id, or nil when the id is not from here.
    func number(_ id: Span<UInt8>) -> UInt64? {
        guard id.count == RequestIDs.byteCount else { return nil }
        for index in prefix.indices where id[index] != prefix[index] { return nil }
        var number: UInt64 = 0
        for index in RequestIDs.prefixByteCount..<RequestIDs.byteCount {
            guard let value = RequestIDs.value(of: id[index]) else { return nil }
            number = number << 4 | UInt64(value)
        }
        return number
    }

    /// The loop that made the id in whatever process, or nil when it is no id of a service like this.
    static func loop(of id: Span<UInt8>) -> Int? {
        guard id.count == byteCount else { return nil }
        for index in id.indices where value(of: id[index]) == nil { return nil }
        guard let high = value(of: id[prefixByteCount - 2]), let low = value(of: id[prefixByteCount - 1]) else { return nil }
        return Int(high) << 4 | Int(low)
    }

    private static func append(_ number: UInt64, digitCount: Int, to bytes: inout [UInt8]) {
        for place in stride(from: digitCount - 1, through: 0, by: -1) {
            bytes.append(digit(UInt8(number >> UInt64(4 * place) & 15)))
        }
    }

    private static func digit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
    }

    private static func value(of digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        default: nil
        }
    }
}
