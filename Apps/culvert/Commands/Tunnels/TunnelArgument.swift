internal import FoundationEssentials
internal import TunnelClient
internal import TunnelDomain
internal import TunnelProfile

/// What the command line says about tunnels, checked before anything is sent.
enum TunnelArgument {
    static func name(_ text: String) throws(Complaint) -> String {
        do { return try TunnelName(validating: text).text } catch {
            throw Complaint(
                "\"\(Printable.text(text, characterCountMax: 80))\" cannot be a tunnel's name. \(error.explanation)",
                advice:
                    "A name has 3 to 63 characters of a-z, 0-9 and single hyphens, and begins and ends with a letter or digit.",
                exitCode: .usage)
        }
    }

    static func tlsMode(_ text: String?) throws(Complaint) -> TunnelRecord.TLSMode {
        switch text {
        case nil, "edge": .edge
        case "passthrough": .passthrough
        case .some(let other):
            throw Complaint("\"\(Printable.text(other))\" is not a TLS mode; it is edge or passthrough", exitCode: .usage)
        }
    }

    static func change(_ words: ParsedWords) throws(Complaint) -> TunnelChange {
        var change = TunnelChange()
        if let text = words.value("--description") { change.description = .set(text) }
        if words.has("--clear-description") {
            guard change.description == .leave else { throw contradiction("description") }
            change.description = .clear
        }
        if let text = words.value("--metadata") { change.metadata = .set(try metadata(text)) }
        if words.has("--clear-metadata") {
            guard change.metadata == .leave else { throw contradiction("metadata") }
            change.metadata = .clear
        }
        guard change != TunnelChange() else {
            throw Complaint(UsageError(message: "there is nothing to change", command: ["tunnels", "update"]))
        }
        return change
    }

    static func poolSize(_ text: String?) throws(Complaint) -> Int? {
        guard let text else { return nil }
        guard let size = Int(text), (1...32).contains(size) else {
            throw Complaint("\"\(Printable.text(text))\" is not a pool size; it is a number from 1 to 32", exitCode: .usage)
        }
        return size
    }

    private static func metadata(_ text: String) throws(Complaint) -> [String: JSONValue] {
        guard let value = try? JSONDecoder().decode([String: JSONValue].self, from: Data(text.utf8)) else {
            throw Complaint(
                "the value of --metadata is not a JSON object", advice: #"Write something like --metadata '{"team": "ops"}'."#,
                exitCode: .usage)
        }
        return value
    }

    private static func contradiction(_ member: String) -> Complaint {
        Complaint("--\(member) and --clear-\(member) contradict each other", exitCode: .usage)
    }
}
