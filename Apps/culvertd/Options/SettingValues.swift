import LinuxIO
import TunnelWire

/// What holds after the configuration file, the environment and the flags have been read, the later before the earlier.
struct SettingValues: Sendable {
    private var texts: [String: [String]] = [:]

    /// Takes the defaults.
    init() {}

    /// Whether anybody has set it.
    func isSet(_ setting: Setting) -> Bool { texts[setting.name] != nil }

    /// Puts values in place of earlier ones, unless they are wrong; `source` tells people where they stand.
    mutating func set(_ setting: Setting, to values: [String], source: String) throws(UsageError) {
        let values = setting.isList ? values.flatMap { $0.split(separator: ",").map(String.init) } : values
        guard setting.isList || values.count == 1 else {
            throw UsageError("\(source) is given \(values.count) times; give it once")
        }
        for value in values {
            guard let wish = setting.wish(unmetBy: value) else { continue }
            throw UsageError("\(source) is “\(value)”; it must be \(wish)")
        }
        texts[setting.name] = values
    }

    func texts(_ setting: Setting) -> [String] { texts[setting.name] ?? setting.defaults }

    func text(_ setting: Setting) -> String { texts(setting).first ?? "" }

    func integer(_ setting: Setting) -> Int {
        guard let number = Int(text(setting)) else { preconditionFailure("\(setting.name) is not a number") }
        return number
    }

    func addresses(_ setting: Setting) -> [SocketAddress] { texts(setting).compactMap { SocketAddress($0) } }

    func networks(_ setting: Setting) -> [IPRange] { texts(setting).compactMap { IPRange($0) } }

    /// Where to listen for `https` or `http`: who sets one of them wants no default of the other beside it.
    func listening(_ setting: Setting) -> [SocketAddress] {
        (isSet(.https) || isSet(.http)) && !isSet(setting) ? [] : addresses(setting)
    }
}

extension Setting {
    /// What a value should have been; nil when it is right.
    func wish(unmetBy value: String) -> String? {
        switch kind {
        case .integer(_, let range):
            if let number = Int(value), range.contains(number) { return nil }
            return "a whole number from \(range.lowerBound) to \(range.upperBound)"
        case .choice(_, let choices):
            return choices.contains(value) ? nil : choices.joined(separator: " or ")
        case .addresses:
            return SocketAddress(value) == nil ? "an IP address and a port, such as 127.0.0.1:8080 or [::1]:8080" : nil
        case .words:
            return value.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") }
                ? nil : "words of letters, digits and hyphens, separated by commas"
        case .file: return value.isEmpty ? "the path of a file" : nil
        case .networks:
            return IPRange(value) == nil
                ? "an IP address or a network with no bits beyond its mask, such as 10.0.0.0/8 or 2001:db8::/32" : nil
        }
    }
}
