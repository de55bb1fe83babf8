import FileStorage
import SystemClock
import TLS
import TunnelAPI
import TunnelDomain
import TunnelService

/// The service without its listeners: the API, the use cases' ports, and the certificates that the edge serves.
struct ControlPlane {
    let ports: ServicePorts
    let rules: ServiceRules
    let api: ControlPlaneAPI
    let certificates: ZoneCertificates
    let readiness: ServiceReadiness
    let metrics: ServiceMetrics

    init(
        _ opened: OpenedDirectory, settings: SettingValues, events: any TunnelEvents, presence: any ConnectionPresence,
        log: ServiceLog
    ) {
        ports = ServicePorts(
            store: opened.store, sealingKey: opened.sealingKey, authority: opened.authority, events: events,
            presence: presence)
        rules = ServiceRules(zone: opened.zone, settings: settings)
        readiness = ServiceReadiness(store: opened.store)
        certificates = ZoneCertificates(
            zone: opened.zone.text, authority: opened.authority, hostCountMax: settings.integer(.certificates))
        metrics = ServiceMetrics(store: opened.store, authority: opened.authority, startedAt: ports.clock.now)
        api = ControlPlaneAPI(
            ports: ports, rules: rules, readiness: readiness, metrics: metrics,
            metricsAccess: MetricsAccess(settings.networks(.metricsNetworks)), instant: { SystemMonotonicClock().now }
        ) { requestID, fault in
            log.note("request.failed", [("request_id", requestID), ("reason", "\(fault)")], level: .error)
        }
    }
}
