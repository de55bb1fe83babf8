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
            csrSignings: limit(.csrSignings, .csrSigningsPerDay),
            keyRotationAttempts: limit(.keyRotationAttempts, .keyRotationsPer15Minutes), appsMax: settings.integer(.apps))
        apiKeyRotations = limit(.apiKeyRotations, .apiKeyRotationsPerDay)
        keys.scopesMax = settings.integer(.keyScopes)
        keys.rangesMax = settings.integer(.keyRanges)
        requests.apiRequests = limit(.apiRequests, .apiRequestsPerMinute)
        requests.authFailures = limit(.authFailures, .authFailuresPerMinute)
        requests.callersMax = settings.integer(.trackedCallers)
        webhooks.perOrganizationMax = settings.integer(.webhooks)
        webhooks.attemptSecondsMax = settings.integer(.webhookSeconds)
        webhooks.retryPlan.lifetime = .hours(Int64(settings.integer(.webhookHours)))
        webhooks.keptFor = .days(Int64(settings.integer(.deliveryDays)))
        webhooks.keptCountMax = settings.integer(.keptDeliveries)
        webhooks.slots.total = settings.integer(.deliveries)
        webhooks.slots.perOrganization = settings.integer(.deliveriesPerOrganization)
        webhooks.slots.perSubscription = settings.integer(.deliveriesPerWebhook)
        webhooks.allowsHTTP = settings.text(.webhookHTTP) == "yes"
        webhooks.allowsPrivateAddresses = settings.text(.webhookPrivateAddresses) == "yes"
        events.keptCountMax = settings.integer(.keptEvents)
        events.keptFor = .days(Int64(settings.integer(.eventDays)))
        events.streamsPerOrganizationMax = settings.integer(.eventStreams)
        events.silenceMax = .seconds(settings.integer(.eventSilenceSeconds))
    }
}
