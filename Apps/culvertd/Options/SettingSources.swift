import FileStorage
import TunnelAPI
import TunnelWire

extension SettingValues {
    /// Reads the file, then the environment, then the flags.
    init(configuration: [String: [String]], path: String, environment: [String: String], flags: Flags) throws(UsageError) {
        self.init()
        for setting in Setting.all {
            if let values = configuration[setting.name] {
                try set(setting, to: values, source: "“\(setting.name)” in \(path)")
            }
            if let value = environment[setting.environmentName] {
                try set(setting, to: [value], source: setting.environmentName)
            }
            if let values = flags.values[setting.flag] {
                try set(setting, to: values, source: setting.flag)
            }
        }
        try Self.refuseUnknownLimits(environment)
    }

    // A misspelt limit would silently not hold. Other variables with our prefix may belong to other programs.
    private static func refuseUnknownLimits(_ environment: [String: String]) throws(UsageError) {
        let known = Set(Setting.all.map { $0.environmentName })
        let unknown = environment.keys.sorted().first { $0.hasPrefix("CULVERT_LIMIT_") && !known.contains($0) }
        if let unknown { throw UsageError("\(unknown) is no setting; `culvertd serve --help` lists them all") }
    }
}

/// The configuration file: a JSON object whose members are named like the settings.
enum ConfigurationFile {
    static let name = "culvertd.json"

    static func parse(_ bytes: [UInt8], path: String) throws(UsageError) -> [String: [String]] {
        let members = try object(bytes, path: path)
        let known = Set(Setting.all.map { $0.name })
        var values: [String: [String]] = [:]
        for member in members {
            guard known.contains(member.name) else {
                throw UsageError("“\(member.name)” in \(path) is no setting; `culvertd serve --help` lists them all")
            }
            guard values[member.name] == nil else { throw UsageError("“\(member.name)” stands twice in \(path)") }
            values[member.name] = try texts(of: member, path: path)
        }
        return values
    }

    private static func object(_ bytes: [UInt8], path: String) throws(UsageError) -> [JSONMember] {
        let value: JSONValue
        do throws(JSONSyntaxError) {
            value = try JSONValue(parsing: bytes)
        } catch {
            throw UsageError("\(path) is not JSON: \(error.description)")
        }
        guard case .object(let members) = value else {
            throw UsageError("\(path) holds \(value.kindDescription); it must be an object such as {\"log_format\": \"json\"}")
        }
        return members
    }

    private static func texts(of member: JSONMember, path: String) throws(UsageError) -> [String] {
        let elements: [JSONValue] = if case .array(let elements) = member.value { elements } else { [member.value] }
        var texts: [String] = []
        for element in elements {
            switch element {
            case .string(let text), .number(let text): texts.append(text)
            case .object, .array, .bool, .null:
                throw UsageError("“\(member.name)” in \(path) is \(element.kindDescription); it must be a number or a string")
            }
        }
        return texts
    }
}
