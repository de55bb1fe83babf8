import TunnelDomain
import TunnelService

extension ServiceRules {
    /// The operator's limits over the documented windows.
    init(zone: Zone, settings: SettingValues) {
        func limit(_ standard: RateLimit, _ setting: Setting) -> RateLimit {
            RateLimit(limit: settings.integer(setting), window: standard.window, name: standard.name)
        }
        let reserved = ReservedNames.standard.adding(settings.texts(.reservedNamesAdd))
            .removing(settings.texts(.reservedNamesRemove))
        self.init(
            zone: zone, reservedNames: reserved, tunnelCreates: limit(.tunnelCreates, .tunnelCreatesPerDay),
            secretRotations: limit(.secretRotations, .secretRotationsPerDay),
            csrSignings: limit(.csrSignings, .csrSigningsPerDay)
        )
    }
}
