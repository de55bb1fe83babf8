import FileStorage
import Glibc
import LinuxIO
import Synchronization
import TunnelDomain
import TunnelEdge
import TunnelService
import TunnelWire

/// The service from the moment at which it serves to its end: does what `ServiceLife` decides.
actor ServiceRun {
    private let opened: OpenedDirectory
    private let settings: SettingValues
    private let controlPlane: ControlPlane
    private let edge: Edge
    private let listeners: Listeners
    private let loop: EventLoop
    private let log: ServiceLog
    private var door: HandoverDoor?
    private var background: Background
    private var life = ServiceLife()
    private let happenings: Happenings
    private let tellSupervisor: @Sendable (String) -> Void
    /// What was decided is done one after the other, while events go on coming.
    private var lastStep: Task<Void, Never>?
    private let takeoverMax: Duration
    /// The process that everything was given to last.
    private var successor: Int?

    init(
        opened: OpenedDirectory, settings: SettingValues, controlPlane: ControlPlane, edge: Edge, listeners: Listeners,
        loop: EventLoop, log: ServiceLog, happenings: Happenings, tellSupervisor: @escaping @Sendable (String) -> Void
    ) throws {
        self.tellSupervisor = tellSupervisor
        self.opened = opened
        self.settings = settings
        self.controlPlane = controlPlane
        self.edge = edge
        self.listeners = listeners
        self.loop = loop
        self.log = log
        self.happenings = happenings
        takeoverMax = .seconds(settings.integer(.takeoverSeconds))
        background = try Background(controlPlane, on: loop, log: log)
    }

    /// Serves until the end.
    func run() async throws {
        background.start()
        door = try HandoverDoor(directory: opened.directory.path, edge: edge, on: loop) { [happenings] in happenings.tell($0) }
        for await event in happenings.events {
            for action in life.receive(event) { perform(action) }
            if case .ended = life.state { break }
        }
        await lastStep?.value
        await background.stop()
        log.note("service.stopped", [], level: .info)
        door?.close()
        await opened.store.close()
    }

    private func perform(_ action: ServiceLife.Action) {
        switch action {
        case .refuse(let successor, let reason): door?.send(.refuse("\(reason)"), to: successor)
        case .rest(let successor): rest(for: successor)
        case .give(let successor): step { await $0.give(to: successor) }
        case .resume: step { await $0.resume() }
        case .finishWork(let hasSuccessor): step { await $0.finishWork(hasSuccessor ? $0.successor : nil) }
        case .end: break
        case .endAtOnce: _exit(128 + happenings.lastSignal)
        }
    }

    /// Does the work after all that was decided before it.
    private func step(_ work: @escaping @Sendable (isolated ServiceRun) async -> Void) {
        let earlier = lastStep
        lastStep = Task {
            await earlier?.value
            await work(self)
        }
    }

    // MARK: Steps

    private func rest(for successor: Int) {
        log.note("handover.asked", [], level: .info)
        step { run in
            await run.background.stop()
            await run.edge.bringStoreToRest()
            run.happenings.tell(.rested(successor: successor))
        }
        Task { [takeoverMax, happenings] in
            try? await Task.sleep(for: takeoverMax)
            happenings.tell(.timeUp(successor: successor))
        }
    }

    private func give(to successor: Int) async {
        self.successor = successor
        await edge.stopAccepting()
        let tunnels = edge.connectedTunnels
        for start in stride(from: 0, to: tunnels.count, by: HandoverMessage.tunnelCountMax) {
            let part = tunnels[start..<min(start + HandoverMessage.tunnelCountMax, tunnels.count)]
            door?.send(.serving(Array(part)), to: successor)
        }
        let sockets = listeners.descriptors
        door?.send(
            .give(listenerCount: sockets.count), descriptors: [opened.directory.lockDescriptor] + sockets, to: successor)
    }

    private func resume() async {
        log.note("handover.abandoned", [], level: .warning)
        await edge.resume()
        do {
            background = try Background(controlPlane, on: loop, log: log)
            background.start()
        } catch {
            log.note("webhook.failed", [("reason", "\(error)")], level: .error)
        }
    }

    private func finishWork(_ successor: Int?) async {
        log.note(
            successor == nil ? "service.draining" : "handover.done", [("seconds_max", settings.text(.drainSeconds))],
            level: .info)
        controlPlane.readiness.setListenersOpen(false)
        if let door, let successor {
            await edge.handOver(to: door.neighbor(successor))
        } else {
            tellSupervisor(Supervisor.stopping)
            await edge.stopListening()
            background.stopUpkeep()
        }
        listeners.close()
        // Streams of events would never end by themselves.
        controlPlane.ports.feed.close()
        if successor == nil { await edge.drain() }
        let (drainMax, noticeMax) = (settings.integer(.drainSeconds), settings.integer(.webSocketNoticeSeconds))
        Task { [edge, happenings] in
            await edge.finish(secondsMax: drainMax, webSocketSecondsMax: noticeMax, leavesAgents: successor != nil)
            happenings.tell(.finished)
        }
    }
}
