internal import FoundationEssentials
internal import TunnelProfile

/// A moment as options take it: ISO 8601 in UTC, a day, or a span of time from now.
enum TimeArgument {
    /// Which way a span counts.
    enum Direction { case ago, ahead }

    /// Reads `2026-01-31T12:00:00Z`, `2026-01-31` (its first moment) or `30m`, `24h`, `7d`.
    static func moment(
        _ text: String, of option: String, _ direction: Direction, at now: Date
    ) throws(Complaint) -> Date {
        if let seconds = seconds(text) { return now.addingTimeInterval(direction == .ago ? -seconds : seconds) }
        if let time = try? Date.ISO8601FormatStyle().parse(text) { return time }
        if let time = try? Date.ISO8601FormatStyle(includingFractionalSeconds: true).parse(text) { return time }
        if text.utf8.count == 10, let day = try? Date.ISO8601FormatStyle().year().month().day().parse(text) { return day }
        throw Complaint(
            "\"\(Printable.text(text, characterCountMax: 60))\" is not a time for \(option)",
            advice: "Give a moment in UTC (2026-01-31T12:00:00Z), a day (2026-01-31) or a span of time (30m, 24h, 7d).",
            exitCode: .usage)
    }

    /// A number and its unit: s, m, h or d.
    private static func seconds(_ text: String) -> Double? {
        guard let last = text.last, let unit = ["s": 1.0, "m": 60, "h": 3_600, "d": 86_400][last] else { return nil }
        let digits = text.dropLast()
        guard (1...9).contains(digits.utf8.count), digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let number = Double(digits)
        else { return nil }
        return number * unit
    }
}
