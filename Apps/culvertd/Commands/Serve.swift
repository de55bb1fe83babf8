import FileStorage
import LinuxIO
import SystemClock
import TunnelDomain
import TunnelEdge
import TunnelService

/// `culvertd serve`: joins the parts and runs them until told to stop.
struct Serve {
    let path: String
    let settings: SettingValues
    private let environment: [String: String]

    init(flags: Flags, environment: [String: String]) throws {
        self.environment = environment
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
        let directory = try DataPlane.directory(settings: settings)
        let loop = directory.doors[0]
        let happenings = Happenings()
        try happenings.watchSignals(on: loop)
        let predecessor = Predecessor.find(directory: path)
        let estate = try await predecessor?.takeOver(on: loop, secondsMax: settings.integer(.takeoverSeconds) + 5)
        let offered = estate?.listeners ?? ListeningSockets()
        for number in Supervisor.sockets(environment: environment) { offered.offer(FileDescriptor(number: number)) }
        if let estate, !estate.listeners.has(anyOf: settings.listening(.https) + settings.listening(.http)) {
            // Not its successor, but somebody who has named the wrong directory.
            throw DataDirectoryError.inUse(path: path, processID: Int(estate.process))
        }
        let opened = try await OpenedDirectory(
            path: path, sharing: estate?.lock, passphraseFile: settings.texts(.authorityPassphraseFile).first)
        let controlPlane = ControlPlane(
            opened, settings: settings, events: EdgeEvents(directory: directory, clock: SystemWallClock()),
            presence: directory, log: log)
        let listeners = try Listeners(settings: settings, offered: offered)
        let dataPlane = try await DataPlane(
            controlPlane, directory: directory, zone: opened.zone, listeners: listeners, settings: settings, log: log)
        let run = try ServiceRun(
            opened: opened, settings: settings, controlPlane: controlPlane, edge: dataPlane.edge, listeners: listeners,
            loop: loop, log: log, happenings: happenings,
            tellSupervisor: { [environment] in Supervisor.tell($0, environment: environment) })
        guard happenings.lastSignal == 0 else { throw Complaint("stopped by a signal before it served") }
        if let estate { await predecessor?.join(dataPlane.edge, agentsOf: estate.tunnels) }
        try await listeners.serve(with: dataPlane.edge, log: log)
        predecessor?.dismiss()
        controlPlane.readiness.setListenersOpen(true)
        let origin = estate.map { [("took_over_from", "\($0.process)")] } ?? []
        log.note("service.started", [("zone", opened.zone.text), ("version", Version.text)] + origin, level: .info)
        Supervisor.tell(Supervisor.ready, environment: environment)
        try await run.run()
    }
}
