import FileStorage
import SystemClock
import TunnelDomain
import TunnelEdge
import TunnelService

/// `culvertd serve`: joins the parts and runs them until told to stop.
struct Serve {
    let path: String
    let settings: SettingValues

    init(flags: Flags, environment: [String: String]) throws {
        path = try flags.dataDirectory(in: environment)
        let named = try flags.single("--config", or: "CULVERT_CONFIG", in: environment)
        let file = named ?? path + "/" + ConfigurationFile.name
        let configuration = try Self.configuration(file, isExpected: named != nil)
        settings = try SettingValues(configuration: configuration, path: file, environment: environment, flags: flags)
    }

    /// A file that somebody has named must be there; the usual one may be missing.
    private static func configuration(_ file: String, isExpected: Bool) throws -> [String: [String]] {
        let bytes: [UInt8]
        do {
            bytes = try readFile(file)
        } catch DataDirectoryError.missingFile where !isExpected {
            return [:]
        } catch DataDirectoryError.missingFile {
            throw UsageError("the configuration file \(file) does not exist; name another one with --config")
        }
        return try ConfigurationFile.parse(bytes, path: file)
    }

    func run() async throws {
        Machine.raiseDescriptorLimit()
        let log = ServiceLog(
            format: ServiceLog.Format(rawValue: settings.text(.logFormat)) ?? .text, clock: SystemWallClock())
        let opened = try await OpenedDirectory(path: path)
        let directory = try DataPlane.directory(settings: settings)
        let shutdown = Shutdown()
        try shutdown.watch(on: directory.doors[0])
        let controlPlane = ControlPlane(
            opened, settings: settings, events: EdgeEvents(directory: directory, clock: SystemWallClock()),
            presence: directory, log: log)
        let upkeep = Task { await Upkeep.run(controlPlane, log: log) }
        defer { upkeep.cancel() }
        let listeners = try Listeners(settings: settings)
        let dataPlane = try await DataPlane(
            controlPlane, directory: directory, zone: opened.zone, listeners: listeners, settings: settings, log: log)
        try await listeners.serve(with: dataPlane.edge, log: log)
        controlPlane.readiness.setListenersOpen(true)
        log.note("service.started", [("zone", opened.zone.text), ("version", Version.text)], level: .info)
        await shutdown.asked()
        log.note("service.draining", [("seconds_max", settings.text(.drainSeconds))], level: .info)
        controlPlane.readiness.setListenersOpen(false)
        await dataPlane.edge.stopListening()
        listeners.close()
        await dataPlane.edge.drain(secondsMax: settings.integer(.drainSeconds))
        log.note("service.stopped", [], level: .info)
        await opened.store.close()
    }
}
