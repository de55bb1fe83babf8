extension Timestamp: CustomStringConvertible {
    /// The moment as ISO 8601 in UTC, such as `2026-04-21T12:30:00Z`.
    ///
    /// The fraction stands only when it is not zero, without trailing zeros, up to microseconds.
    /// Years outside 0…9999 are written with a sign and six digits (ISO 8601 expanded form).
    public var iso8601: String {
        let (seconds, microseconds) = microsecondsSinceEpoch.flooringDivided(by: 1_000_000)
        let (days, secondOfDay) = seconds.flooringDivided(by: 86_400)
        let date = CivilDate(daysSinceEpoch: days)
        var text: [UInt8] = []
        text.reserveCapacity(27)
        if (0...9999).contains(date.year) {
            text.append(date.year, width: 4)
        } else {
            text.append(date.year < 0 ? ASCII.minus : ASCII.plus)
            text.append(abs(date.year), width: 6)
        }
        text.append(date.month, width: 2, after: ASCII.minus)
        text.append(date.day, width: 2, after: ASCII.minus)
        text.append(secondOfDay / 3600, width: 2, after: ASCII.upperT)
        text.append(secondOfDay / 60 % 60, width: 2, after: ASCII.colon)
        text.append(secondOfDay % 60, width: 2, after: ASCII.colon)
        if microseconds > 0 {
            text.append(microseconds, width: 6, after: ASCII.dot)
            while text.last == ASCII.zero { text.removeLast() }
        }
        text.append(ASCII.upperZ)
        return String(decoding: text, as: UTF8.self)
    }

    public var description: String { iso8601 }

    /// Reads a moment as RFC 3339 writes it, or gives nil.
    ///
    /// Accepted: `2026-04-21T12:30:00Z`, a fraction of 1 to 9 digits (cut to microseconds) and an offset such as `+02:00`
    /// instead of `Z`. Not accepted: lower-case `t` and `z`, days that no calendar has, second 60, anything around it.
    public init?(iso8601 text: String) {
        var reader = DigitReader(bytes: Array(text.utf8))
        guard let year = reader.number(digitCount: 4), reader.take(ASCII.minus),
            let month = reader.number(digitCount: 2), reader.take(ASCII.minus),
            let day = reader.number(digitCount: 2), reader.take(ASCII.upperT),
            let hour = reader.number(digitCount: 2), hour < 24, reader.take(ASCII.colon),
            let minute = reader.number(digitCount: 2), minute < 60, reader.take(ASCII.colon),
            let second = reader.number(digitCount: 2), second < 60
        else { return nil }
        let date = CivilDate(year: year, month: month, day: day)
        guard date.exists, let microseconds = reader.fraction(), let offset = reader.offsetSeconds(), reader.isAtEnd else {
            return nil
        }
        let seconds = date.daysSinceEpoch * 86_400 + hour * 3600 + minute * 60 + second - offset
        self.init(microsecondsSinceEpoch: seconds * 1_000_000 + microseconds)
    }
}

/// Reads fixed-width numbers from the front of a text.
private struct DigitReader {
    let bytes: [UInt8]
    var position = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    var isAtEnd: Bool { position == bytes.count }

    mutating func take(_ byte: UInt8) -> Bool {
        guard position < bytes.count, bytes[position] == byte else { return false }
        position += 1
        return true
    }

    mutating func digit() -> Int64? {
        guard position < bytes.count, ASCII.isDigit(bytes[position]) else { return nil }
        defer { position += 1 }
        return Int64(bytes[position] - ASCII.zero)
    }

    mutating func number(digitCount: Int) -> Int64? {
        var value: Int64 = 0
        for _ in 0..<digitCount {
            guard let digit = digit() else { return nil }
            value = value * 10 + digit
        }
        return value
    }

    /// The microseconds of an optional `.ddd`; nil when a dot has no digits or more than nine.
    mutating func fraction() -> Int64? {
        guard take(ASCII.dot) else { return 0 }
        var nanoseconds: Int64 = 0
        var digitCount = 0
        while let digit = digit() {
            digitCount += 1
            nanoseconds = nanoseconds * 10 + digit
            if digitCount == 9 { break }
        }
        guard digitCount > 0 else { return nil }
        for _ in digitCount..<9 { nanoseconds *= 10 }
        return nanoseconds / 1000
    }

    /// The seconds that local time is ahead of UTC; nil when there is neither `Z` nor an offset.
    mutating func offsetSeconds() -> Int64? {
        if take(ASCII.upperZ) { return 0 }
        let sign: Int64 = take(ASCII.plus) ? 1 : -1
        guard sign == 1 || take(ASCII.minus), let hour = number(digitCount: 2), hour < 24, take(ASCII.colon),
            let minute = number(digitCount: 2), minute < 60
        else { return nil }
        return sign * (hour * 3600 + minute * 60)
    }
}

extension [UInt8] {
    /// Appends a number of at least `width` digits, after an optional separator.
    fileprivate mutating func append(_ number: Int64, width: Int, after separator: UInt8? = nil) {
        if let separator { append(separator) }
        let digits = String(number).utf8
        for _ in 0..<Swift.max(0, width - digits.count) { append(ASCII.zero) }
        append(contentsOf: digits)
    }
}
