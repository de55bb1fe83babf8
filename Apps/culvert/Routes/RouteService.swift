internal import Glibc
internal import LinuxIO
internal import TunnelAgent
internal import TunnelProfile

/// Keeps a fleet up until it is told to stop or nothing is left: signals, the URL file, and the word to a supervisor.
struct RouteService {
    let settings: Settings
    let output: AgentOutput
    let urlFile: URLFile?
    /// Reads the routes anew on SIGHUP; nil leaves that signal alone.
    let reload: (@Sendable () throws(Complaint) -> [RouteSettings])?

    private enum Order: Sendable { case stop, reload, fleet(RouteFleet.Event) }

    func run(_ routes: [RouteSettings]) async throws(Complaint) -> ExitCode {
        let fleet = RouteFleet(settings: settings, output: output, isLabelled: reload != nil)
        let (orders, inbox) = AsyncStream<Order>.makeStream()
        let signals = try watchSignals(inbox)
        defer {
            signals.stop()
            urlFile?.remove()
        }
        _ = try await fleet.serve(routes)
        let relay = Task {
            for await event in fleet.events { _ = inbox.yield(.fleet(event)) }
        }
        defer { relay.cancel() }
        for await order in orders {
            switch order {
            case .stop:
                Supervisor.tell("STOPPING=1")
                await fleet.stop()
            case .reload: await takeUp(fleet)
            case .fleet(.ready(let urls)):
                do throws(Complaint) { try urlFile?.write(urls) } catch { output.console.complain(error) }
                Supervisor.tell("READY=1\nSTATUS=\(urls.count == 1 ? "1 route is" : "\(urls.count) routes are") up")
            case .fleet(.ended(let code)): return code
            }
        }
        return .success
    }

    private func watchSignals(_ inbox: AsyncStream<Order>.Continuation) throws(Complaint) -> EventLoop {
        var hangUp: (@Sendable () -> Void)?
        if reload != nil { hangUp = { _ = inbox.yield(.reload) } }
        return try Interruption.watch(hangUp: hangUp, farewell: { [urlFile] in urlFile?.remove() }) {
            _ = inbox.yield(.stop)
        }
    }

    /// A file that cannot be used changes nothing.
    private func takeUp(_ fleet: RouteFleet) async {
        guard let reload else { return }
        Supervisor.tell("RELOADING=1\nMONOTONIC_USEC=\(Supervisor.monotonicMicroseconds)")
        do throws(Complaint) {
            let changes = try await fleet.serve(try reload())
            output.tellReload(changes)
        } catch {
            output.tellReload(failed: error)
        }
        Supervisor.tell("READY=1")
    }
}

/// A file that holds the public URLs while they are up: one URL, or `NAME URL` a line.
struct URLFile: Sendable {
    let path: String
    /// For one route the URL stands alone.
    let isLabelled: Bool

    func write(_ urls: [(name: String, url: String)]) throws(Complaint) {
        let lines = urls.map { isLabelled ? "\($0.name) \($0.url)\n" : "\($0.url)\n" }
        try DraftFile.make(at: path, mode: 0o644).keep(Array(lines.joined().utf8))
    }

    func remove() { unlink(path) }
}
