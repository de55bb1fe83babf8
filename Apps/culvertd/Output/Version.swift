/// The version of the service, by semver.org.
enum Version {
    static let text = "0.1.0"
}
