internal import TunnelAgent
internal import TunnelDomain
internal import TunnelWire

/// Takes secrets out of what is shown: by the names they stand under, and by how they look.
enum Redaction {
    static let mark = "[redacted]"

    private static let fieldNames: Set<String> = [
        "authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key", "x-tunnel-secret", "x-auth-token",
        "x-csrf-token", "x-xsrf-token", "x-amz-security-token", "x-goog-iam-authorization-token",
    ]
    private static let words = [
        "secret", "password", "passwd", "passphrase", "token", "apikey", "credential", "privatekey", "sessionid",
    ]

    /// Whether a value under this name is a secret.
    static func isSecret(name: String) -> Bool {
        let name = name.lowercased()
        if fieldNames.contains(name) { return true }
        let letters = name.filter { $0.isLetter || $0.isNumber }
        return words.contains { letters.contains($0) }
    }

    static func fields(_ fields: [AgentField]) -> [AgentField] {
        fields.map { AgentField($0.name, isSecret(name: $0.name) ? mark : text($0.value)) }
    }

    /// A path with its query; the values of telling parameters go.
    static func path(_ path: String) -> String {
        guard let mark = path.firstIndex(of: "?") else { return text(path) }
        return text(String(path[..<mark])) + "?" + form(String(path[path.index(after: mark)...]))
    }

    /// A body that is text: JSON and forms by their names, everything by its looks.
    static func body(_ body: String, contentType: String) -> String {
        if let value = try? JSON(parsing: Array(body.utf8)) {
            switch value {
            case .object, .array: return json(value).text
            case .string, .number, .bool, .null: return text(body)
            }
        }
        let type = contentType.lowercased()
        if type.hasPrefix("application/x-www-form-urlencoded") { return form(body) }
        return text(members(in: type.hasPrefix("multipart/") ? parts(in: body) : body))
    }

    static func json(_ value: JSON) -> JSON {
        switch value {
        case .object(let members):
            .object(
                members.map { member in
                    JSONMember(member.name, isSecret(name: member.name) ? hidden(member.value) : json(member.value))
                })
        // A name and a value, as header fields and parameters are often written.
        case .array(let pair) where pair.count == 2 && isSecret(name: pair[0].stringValue ?? ""):
            .array([pair[0], hidden(pair[1])])
        case .array(let elements): .array(elements.map(json))
        case .string(let text): .string(Self.text(text))
        case .number, .bool, .null: value
        }
    }

    /// What stands under a telling name: every text and number goes, however deep; what shape it had may stay.
    private static func hidden(_ value: JSON) -> JSON {
        switch value {
        case .object(let members): .object(members.map { JSONMember($0.name, hidden($0.value)) })
        case .array(let elements): .array(elements.map(hidden))
        case .string, .number: .string(mark)
        case .bool, .null: value
        }
    }

    /// The parts of a form with files (RFC 7578): the values of telling fields go, up to the next boundary or the cut.
    private static func parts(in text: String) -> String {
        var (shown, boundary): (String, Substring?) = ("", nil)
        var (isHead, isHidden, lastBreak) = (false, false, "")
        var rest = Substring(text)
        while !rest.isEmpty {
            let line = rest.prefix { !$0.isNewline }
            let lineBreak = String(rest.dropFirst(line.count).prefix(1))
            rest = rest.dropFirst(line.count + lineBreak.count)
            if line.hasPrefix(boundary ?? "--") {
                // The line break before a boundary is a part of the boundary.
                shown += (isHidden && !isHead ? lastBreak : "") + line + lineBreak
                (boundary, isHead, isHidden) = (boundary ?? line, true, false)
            } else if isHead {
                isHidden = isHidden || line.lowercased().hasPrefix("content-disposition:") && isSecret(name: String(line))
                isHead = !line.isEmpty
                shown += line + lineBreak + (isHidden && !isHead ? mark : "")
            } else if isHidden {
                lastBreak = lineBreak
            } else {
                shown += line + lineBreak
            }
        }
        return shown
    }

    private static func form(_ text: String) -> String {
        text.split(separator: "&", omittingEmptySubsequences: false).map { pair in
            guard let equals = pair.firstIndex(of: "=") else { return Self.text(String(pair)) }
            let name = String(pair[..<equals])
            return isSecret(name: decoded(name))
                ? "\(name)=\(mark)" : "\(name)=\(Self.text(String(pair[pair.index(after: equals)...])))"
        }.joined(separator: "&")
    }

    /// A name as the program behind the tunnel reads it (WHATWG URL §5.1).
    private static func decoded(_ name: String) -> String {
        var bytes: [UInt8] = []
        var rest = Array(name.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), rest.count >= 2,
                let code = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            {
                bytes.append(code)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// JSON that was cut off is no JSON any more, and its secrets are still there.
    private static func members(in text: String) -> String {
        var result = ""
        var rest = Substring(text)
        while let match = rest.firstMatch(of: /"([A-Za-z0-9_.\-]{1,64})"\s*:\s*"((?:[^"\\]|\\.)*)("|$)/) {
            result += rest[..<match.range.lowerBound]
            let isHidden = isSecret(name: String(match.1))
            result += isHidden ? "\"\(match.1)\":\"\(mark)\(match.3)" : String(rest[match.range])
            rest = rest[match.range.upperBound...]
        }
        return result + rest
    }

    /// What looks like a credential wherever it stands.
    static func text(_ text: String) -> String {
        guard text.utf8.count >= 12 else { return text }
        var text = text
        text = text.replacing(/([A-Za-z0-9_.\-]{1,64})=([^&\s"'<>;,]+)/) { match in
            isSecret(name: String(match.1)) ? "\(match.1)=\(mark)" : String(match.0)
        }
        text = text.replacing(/(?:ApiKey_|RotSecret_)[A-Za-z0-9]{16,}|tnl_[0-9a-f]{32}/) { _ in mark }
        text = text.replacing(/(?:sk|rk|pk|whsec)_(?:live_|test_)?[A-Za-z0-9+\/=]{16,}|sk-[A-Za-z0-9_\-]{20,}/) { _ in mark }
        text = text.replacing(/gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}|glpat-[A-Za-z0-9_\-]{16,}/) { _ in mark }
        text = text.replacing(/xox[abeprs]-[A-Za-z0-9\-]{10,}|AKIA[0-9A-Z]{16}|AIza[A-Za-z0-9_\-]{30,}/) { _ in mark }
        text = text.replacing(/eyJ[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]*/) { _ in mark }
        text = text.replacing(/(?i:bearer|basic)\s+[A-Za-z0-9._~+\/\-]{12,}=*/) { _ in mark }
        // As in `password: x`, of YAML and of header fields, and as in `<password>x</password>`.
        text = text.replacing(
            /([A-Za-z0-9_.\-]{1,64})(["']?[ \t]*:[ \t]*["']?(?i:(?:bearer|basic|digest|token)[ \t]+)?)([^\s"'<>;,{}\[\]]+)/
        ) { match in
            isSecret(name: String(match.1)) ? "\(match.1)\(match.2)\(mark)" : String(match.0)
        }
        text = text.replacing(/<([A-Za-z0-9_.:\-]{1,64})((?:\s[^<>]*)?)>([^<]+)/) { match in
            isSecret(name: String(match.1)) ? "<\(match.1)\(match.2)>\(mark)" : String(match.0)
        }
        text = text.replacing(/-----BEGIN [A-Z ]*PRIVATE KEY-----[^\-]*(?:-----END [A-Z ]*PRIVATE KEY-----)?/) { _ in mark }
        return text
    }
}
