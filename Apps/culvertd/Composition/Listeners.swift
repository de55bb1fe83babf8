/// Where traffic comes in.
enum Listeners {
    /// Serves until a signal asks for the end, and returns after draining.
    static func run(_ controlPlane: ControlPlane, settings: SettingValues, log: ServiceLog) async throws {
        throw Complaint("this build of culvertd carries no traffic: it was made without the edge")
    }
}
