/// Where this program keeps its files (XDG Base Directory Specification).
package struct Locations: Sendable, Hashable {
    /// `~/.config/culvert`: what the person decided.
    package var configuration: String
    /// `~/.local/state/culvert`: what the program remembers.
    package var state: String

    package init(environment: [String: String]) throws(ProfileFlaw) {
        configuration = try Self.folder("XDG_CONFIG_HOME", ".config", environment)
        state = try Self.folder("XDG_STATE_HOME", ".local/state", environment)
    }

    package var configurationFile: String { configuration + "/config.json" }

    /// The XDG variable counts only when it is an absolute path, as the specification says.
    private static func folder(
        _ variable: String, _ fallback: String, _ environment: [String: String]
    ) throws(ProfileFlaw) -> String {
        if let folder = environment[variable], folder.hasPrefix("/") { return folder + "/culvert" }
        guard let home = environment["HOME"], home.hasPrefix("/") else {
            throw ProfileFlaw(
                "there is no place for this program's files: neither \(variable) nor HOME is set",
                advice: "Set HOME to your home directory.")
        }
        return "\(home)/\(fallback)/culvert"
    }
}
