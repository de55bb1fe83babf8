import Synchronization
import TunnelAPI
import TunnelDomain
import TunnelService
import TunnelWire

/// The service's log: one line for each event, on standard error. Fields never hold a secret.
final class ServiceLog: Sendable {
    enum Format: String, CaseIterable { case text, json }

    enum Level: String, Sendable {
        case info
        /// Something is wrong, and the service goes on.
        case warning
        /// A request or a part of the service has failed.
        case error
    }

    private let format: Format
    private let clock: any WallClock
    private let write: @Sendable (String) -> Void
    // Lines of several threads must not mix.
    private let turn = Mutex(())

    init(
        format: Format, clock: any WallClock,
        write: @escaping @Sendable (String) -> Void = { Output.note($0) }
    ) {
        self.format = format
        self.clock = clock
        self.write = write
    }

    /// Notes that something has happened: `noun.verb` and its fields, in the order in which they are to be read.
    func note(_ event: String, _ fields: [(String, String)] = [], level: Level) {
        let line = line(event, fields, level)
        turn.withLock { _ in write(line + "\n") }
    }

    private func line(_ event: String, _ fields: [(String, String)], _ level: Level) -> String {
        let head = [("time", clock.now.iso8601), ("level", level.rawValue), ("event", event)]
        switch format {
        case .text:
            return head.map { $0.1 }.joined(separator: " ")
                + fields.map { " \($0.0)=\(LogText.quoted($0.1))" }.joined()
        case .json:
            let members = (head + fields).map { JSONMember($0.0, .string($0.1)) }
            return String(decoding: JSONValue.object(members).serialized, as: UTF8.self)
        }
    }
}

/// Values within a line of text.
enum LogText {
    /// The value as it is when it is one plain word; otherwise in quotes, with everything that could forge a line escaped.
    static func quoted(_ text: String) -> String {
        let isPlain =
            !text.isEmpty
            && text.unicodeScalars.allSatisfy { isVisible($0) && $0 != "\"" && $0 != "\\" && $0 != "=" && $0 != " " }
        if isPlain { return text }
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": quoted += "\\\(scalar)"
            case "\n": quoted += "\\n"
            case let scalar where isVisible(scalar): quoted.unicodeScalars.append(scalar)
            case let scalar: quoted += "\\u{\(String(scalar.value, radix: 16))}"
            }
        }
        return quoted + "\""
    }

    // Control and format characters can hide or reorder what an operator reads, and line separators begin new lines.
    private static func isVisible(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned: false
        default: true
        }
    }
}
