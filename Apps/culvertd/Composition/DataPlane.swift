import HTTPTransport
import LinuxIO
import TLS
import TunnelDomain
import TunnelEdge
import TunnelService
import TunnelWire

/// The loops, the edge on them, and the edge's view of the store.
struct DataPlane {
    let edge: Edge

    /// Starts the loops; the directory is empty until the routes are loaded.
    static func directory(settings: SettingValues) throws -> TunnelDirectory {
        let wanted = settings.integer(.eventLoops)
        let count = wanted > 0 ? wanted : Machine.coreCount
        return TunnelDirectory(doors: try (0..<count).map { try EventLoop(index: $0) })
    }

    init(
        _ controlPlane: ControlPlane, directory: TunnelDirectory, zone: Zone, listeners: Listeners, settings: SettingValues,
        log: ServiceLog
    ) async throws {
        let clock = controlPlane.ports.clock
        for tunnel in try await LoadRoutes(ports: controlPlane.ports)() { directory.put(tunnel, at: clock.now) }
        let identities = EdgeIdentities(
            zone: zone, certificates: controlPlane.certificates, directory: directory, clock: clock,
            hostCountMax: settings.integer(.certificates))
        let tls = try TLSContext.server(applicationProtocols: ["h2", "http/1.1"]) { identities.identity(for: $0) }
        edge = try await Edge(
            EdgeParts(
                settings: EdgeSettings(zone: zone, listeners: listeners, values: settings), directory: directory,
                registry: AgentRegistry(ports: controlPlane.ports), api: controlPlane.api, log: log, tls: tls))
        controlPlane.metrics.serve(edge)
    }
}

extension EdgeSettings {
    /// The operator's limits.
    fileprivate init(zone: Zone, listeners: Listeners, values: SettingValues) {
        self.init(zone: zone)
        httpsPort = listeners.port(for: .tls)
        httpPort = listeners.port(for: .clearText)
        pool.queueMax = values.integer(.queuedRequests)
        pool.requestsPerSecondMax = values.integer(.requestsPerSecond)
        pool.sharingAgentsMax = values.integer(.sharingAgents)
        pool.queueWait = .seconds(values.integer(.queueSeconds))
        pool.intakeIdle = .seconds(values.integer(.intakeIdleSeconds))
        pool.responseDeadline = .seconds(values.integer(.responseDeadlineSeconds))
        poolSizeDefault = values.integer(.poolSize)
        connectionsPerTunnelMax = values.integer(.connectionsPerTunnel)
        connectionsMax = values.integer(.connections)
        apiBodiesPerAddressByteCountMax = values.integer(.bodyBytesPerAddress)
        trustedProxies = TrustedProxies(values.networks(.trustedProxies))
        helloSecondsMax = values.integer(.helloSeconds)
        silenceMax = .seconds(values.integer(.drainIdleSeconds))
        agentReturnMax = .seconds(values.integer(.agentReturnSeconds))
        thirdParty.limit(by: values)
        let envelope = zoneHTTP.http2
        zoneHTTP.limit(by: values)
        zoneHTTP.http2.headerListByteCountMax = max(envelope.headerListByteCountMax, 2 * values.integer(.headerBytes))
        zoneHTTP.http2.headerFieldCountMax = max(envelope.headerFieldCountMax, 2 * values.integer(.headerFields))
        zoneHTTP.http2.pingIntervalSeconds = values.integer(.pingIntervalSeconds)
        thirdParty.http1.unconsumedByteCountMax = values.integer(.bufferedBytes)
        thirdParty.http2.streamWindowByteCount = values.integer(.bufferedBytes)
        webSocket.messageByteCountMax = values.integer(.webSocketBytes)
        webSocket.bindSecondsMax = values.integer(.webSocketBindSeconds)
        webSocket.pump.pingIntervalSeconds = values.integer(.webSocketPingSeconds)
        webSocket.pump.closeSecondsMax = values.integer(.webSocketCloseSeconds)
        passthrough.bindSecondsMax = values.integer(.tcpBindSeconds)
        passthrough.pump.lingerSecondsMax = values.integer(.tcpLingerSeconds)
        passthrough.pump.stallSecondsMax = values.integer(.tcpStallSeconds)
    }
}

extension HTTPServerSettings {
    fileprivate mutating func limit(by values: SettingValues) {
        handshakeSecondsMax = values.integer(.handshakeSeconds)
        http1.headSecondsMax = values.integer(.headSeconds)
        http1.idleSecondsMax = values.integer(.keepAliveSeconds)
        http1.bodyGraceSeconds = values.integer(.bodyGraceSeconds)
        http1.bodyBytesPerSecondMin = values.integer(.bodyRate)
        http1.writeStallSecondsMax = values.integer(.writeStallSeconds)
        http2.writeStallSecondsMax = values.integer(.writeStallSeconds)
        http2.headSecondsMax = values.integer(.headSeconds)
        http2.idleSecondsMax = values.integer(.keepAliveSeconds)
        http2.bodyGraceSeconds = values.integer(.bodyGraceSeconds)
        http2.bodyBytesPerSecondMin = values.integer(.bodyRate)
        http2.pingTimeoutSeconds = values.integer(.pingTimeoutSeconds)
        http1.limits.headByteCountMax = values.integer(.headerBytes)
        http1.limits.fieldCountMax = values.integer(.headerFields)
        http2.headerListByteCountMax = values.integer(.headerBytes)
        http2.headerFieldCountMax = values.integer(.headerFields)
    }
}

extension ServiceLog: EdgeLog {
    func note(_ event: String, _ details: [(String, String)]) { note(event, details, level: .info) }
}
