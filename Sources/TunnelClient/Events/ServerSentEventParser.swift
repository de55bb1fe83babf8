/// One event of a stream of server-sent events (WHATWG HTML, section 9.2), as its lines said it.
package struct ReceivedEvent: Sendable, Hashable {
    /// What to resume behind; the last id that the stream gave, of this event or of one before.
    package var lastEventID: String?
    /// `message` when the stream named none.
    package var type: String
    /// Lines joined by line feeds.
    package var data: String

    package init(lastEventID: String?, type: String, data: String) {
        self.lastEventID = lastEventID
        self.type = type
        self.data = data
    }
}

/// What the bytes of a stream of server-sent events say.
package enum ServerSentEventOutput: Sendable, Hashable {
    case event(ReceivedEvent)
    /// A comment: servers send one now and then so that a silent stream can be told from a dead one.
    case comment(String)
    /// The place to resume behind moved without an event: what lies between was not asked for.
    case place(String)
    /// How long to wait before connecting again.
    case retry(milliseconds: Int)
}

/// Reads a stream of server-sent events, however its bytes are cut into pieces.
package struct ServerSentEventParser: Sendable {
    /// One event of the stream, its comments included, is not longer than this many bytes.
    package static let eventByteCountMax = 1024 * 1024
    /// A longer pause is not waited for: a day.
    package static let retryMillisecondsMax = 86_400_000

    /// The stream holds an event of more than ``eventByteCountMax`` bytes.
    package struct TooLong: Error, Hashable, Sendable {}

    private var line: [UInt8] = []
    /// A carriage return ended the last line: a line feed right behind it belongs to it.
    private var skipsLineFeed = false
    private var mayHaveMark = true
    private var pendingByteCount = 0
    private var type = ""
    private var data: String?
    /// An id counts once its event is complete.
    private var pendingID: String?
    private var lastEventID: String?

    package init() {}

    /// Takes the next bytes and gives what they complete.
    package mutating func receive(_ bytes: some Sequence<UInt8>) throws(TooLong) -> [ServerSentEventOutput] {
        var output: [ServerSentEventOutput] = []
        for byte in bytes {
            if skipsLineFeed {
                skipsLineFeed = false
                if byte == UInt8(ascii: "\n") { continue }
            }
            switch byte {
            case UInt8(ascii: "\n"): endLine(&output)
            case UInt8(ascii: "\r"):
                skipsLineFeed = true
                endLine(&output)
            default:
                line.append(byte)
                pendingByteCount += 1
                guard pendingByteCount <= Self.eventByteCountMax else { throw TooLong() }
            }
        }
        return output
    }
}

// MARK: - Lines

extension ServerSentEventParser {
    private static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]

    private mutating func endLine(_ output: inout [ServerSentEventOutput]) {
        if mayHaveMark, line.starts(with: Self.byteOrderMark) { line.removeFirst(Self.byteOrderMark.count) }
        mayHaveMark = false
        defer { line.removeAll(keepingCapacity: true) }
        guard !line.isEmpty else { return endEvent(&output) }
        let colon = line.firstIndex(of: UInt8(ascii: ":"))
        var value = colon.map { line[($0 + 1)...] } ?? []
        if value.first == UInt8(ascii: " ") { value.removeFirst() }
        if colon == 0 {
            pendingByteCount -= line.count
            return output.append(.comment(String(decoding: value, as: UTF8.self)))
        }
        take(String(decoding: line[..<(colon ?? line.endIndex)], as: UTF8.self), value, &output)
    }

    private mutating func take(_ name: String, _ value: ArraySlice<UInt8>, _ output: inout [ServerSentEventOutput]) {
        let text = String(decoding: value, as: UTF8.self)
        switch name {
        case "event": type = text
        case "data": data = data.map { $0 + "\n" + text } ?? text
        case "id": if !value.contains(0) { pendingID = text }
        case "retry":
            guard !value.isEmpty, value.allSatisfy({ (0x30...0x39).contains($0) }) else { return }
            output.append(.retry(milliseconds: min(Int(text) ?? Self.retryMillisecondsMax, Self.retryMillisecondsMax)))
        default: break
        }
    }

    private mutating func endEvent(_ output: inout [ServerSentEventOutput]) {
        if let pendingID { lastEventID = pendingID }
        if let data {
            let type = type.isEmpty ? "message" : type
            output.append(.event(ReceivedEvent(lastEventID: lastEventID, type: type, data: data)))
        } else if let pendingID {
            output.append(.place(pendingID))
        }
        pendingID = nil
        data = nil
        type = ""
        pendingByteCount = 0
    }
}
