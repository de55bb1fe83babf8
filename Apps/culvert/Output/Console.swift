internal import FoundationEssentials
internal import Glibc
internal import TunnelClient

/// Where output goes and what it may look like.
struct Console: Sendable {
    var isJSON: Bool
    /// Colours are for people at a terminal who have not said NO_COLOR (no-color.org).
    var hasColor: Bool

    init(isJSON: Bool, environment: [String: String]) {
        self.isJSON = isJSON
        let isWanted = environment["NO_COLOR", default: ""].isEmpty && environment["TERM"] != "dumb"
        hasColor = isWanted && isatty(2) == 1
    }

    /// A line on standard output, at once even through a pipe.
    func print(_ line: String, terminator: String = "\n") { _ = Self.put(line + terminator, to: 1) }

    /// The same for a line of many; false when nobody reads them any more.
    func emit(_ line: String) -> Bool { Self.put(line + "\n", to: 1) }

    /// A line on standard error.
    func note(_ line: String) { _ = Self.put(line + "\n", to: 2) }

    /// A value on standard output as one line of JSON.
    func printJSON(_ value: some Encodable) { print(Self.json(value)) }

    static func json(_ value: some Encodable) -> String {
        (try? ClientJSON.encoder().encode(value)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
    }

    func complain(_ complaint: Complaint) {
        guard isJSON else { return note(Self.text(complaint)) }
        let document = ComplaintDocument(complaint)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        note(String(decoding: (try? encoder.encode(document)) ?? Data(), as: UTF8.self))
    }

    static func text(_ complaint: Complaint) -> String {
        let request = complaint.requestID.map { " (request \($0))" } ?? ""
        let advice = complaint.advice.isEmpty ? "" : "\n\(complaint.advice)"
        return "culvert: \(complaint.message)\(request)\(advice)"
    }

    enum Color: String {
        case green = "32"
        case yellow = "33"
        case red = "31"
        case faint = "2"
    }

    func colored(_ text: String, _ color: Color) -> String { hasColor ? "\u{1B}[\(color.rawValue)m\(text)\u{1B}[0m" : text }

    private static func put(_ text: String, to descriptor: Int32) -> Bool {
        let bytes = Array(text.utf8)
        var offset = 0
        while offset < bytes.count {
            let count = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress.map { $0 + offset }, bytes.count - offset) }
            if count < 0, errno == EINTR { continue }
            // Nobody reads any more: there is nobody to tell.
            guard count > 0 else { return false }
            offset += count
        }
        return true
    }
}

/// An error for programs, one line of JSON on standard error.
private struct ComplaintDocument: Encodable {
    struct Body: Encodable {
        var message: String
        var advice: String
        var exitCode: Int32
        var status: Int?
        var requestID: String?

        private enum CodingKeys: String, CodingKey {
            case message, advice, status
            case exitCode = "exit_code"
            case requestID = "request_id"
        }
    }

    var error: Body

    init(_ complaint: Complaint) {
        error = Body(
            message: complaint.message, advice: complaint.advice, exitCode: complaint.exitCode.rawValue,
            status: complaint.status,
            requestID: complaint.requestID)
    }
}
