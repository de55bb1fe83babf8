/// The domain name under which a service's tunnels have their public hosts, in lower case, without a final dot.
///
/// Labels keep the letter-digit-hyphen rule (RFC 952, RFC 1123 section 2.1) and a DNS label's 63 bytes; the whole leaves room
/// for the longest tunnel name within a DNS name's 253 characters (RFC 1035 section 2.3.4). `localhost` is a zone.
public struct Zone: Hashable, Sendable, CustomStringConvertible {
    /// The most bytes of a zone: 253 less the longest tunnel name and its dot.
    public static let byteCountMax = 253 - TunnelName.byteCountMax - 1
    /// The most bytes between two dots.
    public static let labelByteCountMax = 63

    /// The zone as it is written everywhere.
    public let text: String

    /// Takes a domain name in any case, with or without its final dot.
    public init(validating text: String) throws(ZoneError) {
        var bytes = text.utf8.map { ASCII.lowercased($0) }
        if bytes.count > 1, bytes.last == ASCII.dot { bytes.removeLast() }
        guard !bytes.isEmpty else { throw .empty }
        guard bytes.count <= Self.byteCountMax else { throw .tooLong(byteCount: bytes.count) }
        if let offset = bytes.firstIndex(where: { !ASCII.isLowerOrDigit($0) && $0 != ASCII.minus && $0 != ASCII.dot }) {
            throw .illegalCharacter(at: offset)
        }
        let labels = bytes.split(separator: ASCII.dot, omittingEmptySubsequences: false)
        for label in labels {
            guard let first = label.first, let last = label.last else { throw .emptyLabel }
            guard label.count <= Self.labelByteCountMax else { throw .labelTooLong(byteCount: label.count) }
            guard first != ASCII.minus, last != ASCII.minus else { throw .hyphenAtLabelEdge }
        }
        // What ends in a number is an IPv4 address to every URL parser (WHATWG URL, host parsing).
        guard labels.last?.allSatisfy({ ASCII.isDigit($0) }) == false else { throw .numericLastLabel }
        self.text = String(decoding: bytes, as: UTF8.self)
    }

    public var description: String { text }
}

/// The rule that a text breaks, so that it cannot be a zone.
public enum ZoneError: Error, Hashable, Sendable {
    case empty
    /// More than ``Zone/byteCountMax`` bytes: the longest tunnel name would not fit in front of it.
    case tooLong(byteCount: Int)
    /// A byte other than letters, digits, hyphen and dot; `at` counts bytes from 0.
    case illegalCharacter(at: Int)
    /// Two dots touch, or a dot comes first.
    case emptyLabel
    /// More than ``Zone/labelByteCountMax`` bytes between two dots.
    case labelTooLong(byteCount: Int)
    /// A label begins or ends with a hyphen.
    case hyphenAtLabelEdge
    /// The last label is a number, as in an IP address.
    case numericLastLabel

    /// What is wrong and what would be right, in one sentence for people.
    public var explanation: String {
        switch self {
        case .empty:
            "The zone is empty; give a domain name such as tunnels.example.com, or localhost."
        case .tooLong(let byteCount):
            "The zone has \(byteCount) bytes; with at most \(Zone.byteCountMax) every tunnel name fits in front of it."
        case .illegalCharacter(let position):
            "The zone has an illegal character at position \(position + 1); use letters, digits, hyphens and dots."
        case .emptyLabel:
            "The zone has an empty part; write single dots between its parts and none in front."
        case .labelTooLong(let byteCount):
            "A part of the zone has \(byteCount) bytes; at most \(Zone.labelByteCountMax) may stand between two dots."
        case .hyphenAtLabelEdge:
            "A part of the zone begins or ends with a hyphen; parts begin and end with a letter or a digit."
        case .numericLastLabel:
            "The zone ends in a number, as an IP address does; give a domain name."
        }
    }
}
