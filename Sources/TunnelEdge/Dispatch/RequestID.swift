internal import TunnelDomain

/// Makes and reads the ids of requests: opaque to everyone else, and never the same in two processes or on two loops.
struct RequestIDs {
    /// Sixteen hexadecimal digits that this process chose at random, then the number of the loop.
    private let prefix: String
    private var last: UInt64 = 0

    init(process: UInt64, loop: Int) {
        prefix = RequestIDs.hexadecimal(process) + RequestIDs.hexadecimal(UInt64(loop)).suffix(2)
    }

    mutating func next() -> UInt64 {
        last += 1
        return last
    }

    func text(_ number: UInt64) -> String { prefix + RequestIDs.hexadecimal(number).suffix(12) }

    /// The number in the text, or nil when the id is not from here.
    func number(_ text: Substring) -> UInt64? {
        guard text.utf8.count == prefix.utf8.count + 12, text.hasPrefix(prefix) else { return nil }
        return UInt64(text.dropFirst(prefix.utf8.count), radix: 16)
    }

    private static func hexadecimal(_ number: UInt64) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
