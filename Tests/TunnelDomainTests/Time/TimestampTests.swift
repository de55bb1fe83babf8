import TestSupport
import Testing
import TunnelDomain

struct TimestampTests {
    static let firstYear0 = Timestamp(secondsSinceEpoch: -62_167_219_200)
    static let lastYear9999 = Timestamp(microsecondsSinceEpoch: 253_402_300_799_999_999)

    @Test(
        arguments: [
            (0, "1970-01-01T00:00:00Z"),
            (1_776_774_600_000_000, "2026-04-21T12:30:00Z"),
            (1_776_774_600_500_000, "2026-04-21T12:30:00.5Z"),
            (1_776_774_600_000_001, "2026-04-21T12:30:00.000001Z"),
            (-1, "1969-12-31T23:59:59.999999Z"),
            (951_782_400_000_000, "2000-02-29T00:00:00Z"),
            (253_402_300_799_999_999, "9999-12-31T23:59:59.999999Z"),
            (253_402_300_800_000_000, "+010000-01-01T00:00:00Z"),
            (-62_167_219_200_000_000, "0000-01-01T00:00:00Z"),
            (-62_167_219_200_000_001, "-000001-12-31T23:59:59.999999Z"),
            (Int64.max, "+294247-01-10T04:00:54.775807Z"),
            (Int64.min, "-290308-12-21T19:59:05.224192Z"),
        ] as [(Int64, String)])
    func `a moment is written as ISO 8601`(microseconds: Int64, text: String) {
        #expect(Timestamp(microsecondsSinceEpoch: microseconds).iso8601 == text)
    }

    @Test(arguments: [
        ("2026-04-21T12:30:00.123456789Z", "2026-04-21T12:30:00.123456Z"),
        ("2026-04-21T12:30:00.10Z", "2026-04-21T12:30:00.1Z"),
        ("2026-04-21T12:30:00+02:00", "2026-04-21T10:30:00Z"),
        ("2026-04-21T00:30:00+01:00", "2026-04-20T23:30:00Z"),
        ("2026-04-21T12:30:00-00:30", "2026-04-21T13:00:00Z"),
        ("2024-02-29T00:00:00Z", "2024-02-29T00:00:00Z"),
    ])
    func `other spellings of RFC 3339 are read`(text: String, canonical: String) {
        #expect(Timestamp(iso8601: text)?.iso8601 == canonical)
    }

    @Test(arguments: [
        "", "2026-04-21", "2026-04-21T12:30Z", "2026-04-21T12:30:00", "2026-04-21t12:30:00Z", "2026-04-21T12:30:00z",
        "2026-04-21 12:30:00Z", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-02-30T00:00:00Z",
        "2025-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "2026-04-31T00:00:00Z", "2026-04-00T00:00:00Z",
        "2026-04-21T24:00:00Z", "2026-04-21T12:60:00Z", "2026-04-21T12:30:60Z", "2026-04-21T12:30:00.Z",
        "2026-04-21T12:30:00.1234567890Z", "2026-04-21T12:30:00Z ", " 2026-04-21T12:30:00Z", "2026-04-21T12:30:00ZZ",
        "2026-04-21T12:30:00+24:00", "2026-04-21T12:30:00+0200", "２026-04-21T12:30:00Z", "+02026-04-21T12:30:00Z",
    ])
    func `what is no moment is not read`(text: String) {
        #expect(Timestamp(iso8601: text) == nil)
    }

    @Test func `every day from 1599 to 2401 equals counting`() {
        var (year, month, day) = (1599, 1, 1)
        var seconds: Int64 = -11_707_632_000
        while year < 2402 {
            let text = "\(year)-\(month < 10 ? "0" : "")\(month)-\(day < 10 ? "0" : "")\(day)T00:00:00Z"
            if Timestamp(secondsSinceEpoch: seconds).iso8601 != text || Timestamp(iso8601: text)?.secondsSinceEpoch != seconds {
                Issue.record("\(text) is not day \(seconds / 86_400)")
                return
            }
            let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
            day += 1
            if day > [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1] {
                (day, month) = (1, month + 1)
            }
            if month > 12 { (month, year) = (1, year + 1) }
            seconds += 86_400
        }
    }

    @Test func `writing and reading gives the same moment`() throws {
        try checkProperty { sample in
            let range = Self.firstYear0.microsecondsSinceEpoch...Self.lastYear9999.microsecondsSinceEpoch
            let moment = Timestamp(microsecondsSinceEpoch: sample.int64(in: range))
            sample.note(moment.iso8601)
            try sample.check(Timestamp(iso8601: moment.iso8601), is: moment)
        }
    }

    @Test func `whole seconds sort as their texts do`() throws {
        try checkProperty { sample in
            let range = Self.firstYear0.secondsSinceEpoch...Self.lastYear9999.secondsSinceEpoch
            let left = Timestamp(secondsSinceEpoch: sample.int64(in: range))
            let right = Timestamp(secondsSinceEpoch: sample.int64(in: range))
            sample.note("\(left) \(right)")
            try sample.check(left.iso8601 < right.iso8601, is: left < right)
        }
    }

    @Test func `a damaged text is refused or read as what it says`() throws {
        try checkProperty { sample in
            var bytes = Array("2026-04-21T12:30:00.25Z".utf8)
            let position = sample.int(in: 0...bytes.count - 1)
            bytes[position] = UInt8(sample.int(in: 0x20...0x7E))
            let text = String(decoding: bytes, as: UTF8.self)
            sample.note(text)
            guard let moment = Timestamp(iso8601: text) else { return }
            let again = moment.iso8601
            let trimmed = text.replacingTrailingZeros()
            try sample.check(again, is: trimmed)
        }
    }

    @Test func `what is added is the difference`() throws {
        try checkProperty { sample in
            let moment = Timestamp(microsecondsSinceEpoch: sample.int64(in: -1 << 60...1 << 60))
            let duration = Duration.microseconds(sample.int64(in: -1 << 60...1 << 60))
            sample.note("\(moment.microsecondsSinceEpoch) \(duration)")
            try sample.check((moment + duration) - moment, is: duration)
            try sample.check((moment + duration) - duration, is: moment)
            try sample.check(moment - duration < moment, is: duration > .zero)
        }
    }

    @Test func `no arithmetic leaves the range or traps`() throws {
        try checkProperty { sample in
            let moment = Timestamp(microsecondsSinceEpoch: sample.int64(in: .min ... .max))
            let other = Timestamp(microsecondsSinceEpoch: sample.int64(in: .min ... .max))
            let duration = Duration.seconds(sample.int64(in: .min ... .max))
            sample.note("\(moment.microsecondsSinceEpoch) \(other.microsecondsSinceEpoch) \(duration.components)")
            try sample.check(moment + duration >= moment, is: duration.wholeMicroseconds >= 0, "the later moment's order")
            try sample.check(moment - duration <= moment, is: duration.wholeMicroseconds >= 0, "the earlier moment's order")
            try sample.check((moment - other) > .zero, is: moment > other, "the difference's sign")
        }
    }
}

extension String {
    /// The text of a moment with the zeros at its fraction's end left out, as it is written canonically.
    fileprivate func replacingTrailingZeros() -> String {
        guard let dot = firstIndex(of: "."), hasSuffix("Z") else { return self }
        var digits = self[index(after: dot)...].dropLast()
        while digits.last == "0" { digits = digits.dropLast() }
        return digits.isEmpty ? String(self[..<dot]) + "Z" : String(self[...dot]) + digits + "Z"
    }
}
