internal import TunnelAgent
internal import TunnelClient
internal import TunnelProfile

/// What a command works with, decided by option, environment and stored configuration, in this order of falling precedence.
struct Settings: Sendable {
    let profile: Profile

    var server: ServerURL { profile.server }
    var apiKey: APIKeySource { profile.apiKey }
    /// Nil trusts the system's authorities.
    var caFile: String? { profile.caFile }
    var edge: EdgeAddress? { profile.edge }
    var locations: Locations { profile.locations }

    init(_ words: ParsedWords, environment: [String: String]) throws(Complaint) {
        let choices = Profile.Choices(
            server: words.value("--server"), apiKeyFile: words.value("--api-key-file"), caFile: words.value("--ca-file"),
            edge: words.value("--edge"))
        profile = try complaining(Profile(choices, environment: environment))
    }

    static func server(_ text: String?) throws(Complaint) -> ServerURL { try complaining(Profile.server(text)) }

    static func edge(_ text: String) throws(Complaint) -> EdgeAddress { try complaining(Profile.edge(text)) }

    var client: CulvertClient {
        get throws(Complaint) { try complaining(profile.client(userAgent: "culvert/\(Version.text)")) }
    }
}
