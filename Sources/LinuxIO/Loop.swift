internal import CLinux
internal import Glibc
package import TunnelDomain

/// Which readiness an event reported (epoll, edge-triggered).
package struct IOReadiness: OptionSet, Sendable {
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }
    package static let readable = IOReadiness(rawValue: EPOLLIN.rawValue)
    package static let writable = IOReadiness(rawValue: EPOLLOUT.rawValue)
    /// The peer shut its sending side.
    package static let peerEnded = IOReadiness(rawValue: EPOLLRDHUP.rawValue)
    /// The connection was reset, or failed otherwise. Both sides having ended in good order is none of it.
    package static let failed = IOReadiness(rawValue: EPOLLERR.rawValue)
    /// The peer shut its sending side, or the connection is gone: reading will tell.
    package static let hungUp = IOReadiness(rawValue: EPOLLRDHUP.rawValue | EPOLLHUP.rawValue | EPOLLERR.rawValue)
}

/// Is told when its descriptor is ready.
package protocol IOHandler: AnyObject {
    func ioReady(_ readiness: IOReadiness)
}

/// Is told once at the end of a turn it asked for, when all events of the turn have been handled.
package protocol TurnEndHandler: AnyObject {
    func turnEnded()
}

/// Names a registration with a loop.
package struct IORegistration: Hashable, Sendable {
    fileprivate let slot: Int32
    fileprivate let generation: UInt32
    fileprivate var key: UInt64 { UInt64(UInt32(bitPattern: slot)) | UInt64(generation) << 32 }
}

/// The inside of an event loop. It is used on its own thread only; it is not `Sendable`, so the compiler sees to that.
package final class Loop {
    /// Plaintext and peeked bytes pass through one buffer of this size: the most that one read brings.
    package static let scratchByteCount = 256 * 1024
    /// Room for what is gathered before a send, and one TLS record more.
    package static let outputScratchByteCount = 256 * 1024
    private static let eventsPerTurnMax = 256
    private static let wakeKey = UInt64.max

    private struct Slot {
        var handler: (any IOHandler)?
        var generation: UInt32 = 0
    }

    /// The door through which other threads reach this loop.
    package unowned let door: EventLoop
    /// What lives here for as long as the loop does: work that comes through the door finds it by its loop.
    package var resident: AnyObject?
    /// The monotonic time at which this turn began.
    package private(set) var now: MonotonicInstant
    /// Bytes read are handed to handlers in this buffer; whoever uses it is done with it before returning.
    package let scratch: UnsafeMutableRawBufferPointer
    /// Ciphertext is gathered here on its way to the socket; whoever uses it is done with it before returning.
    package let outputScratch: UnsafeMutableRawBufferPointer

    /// Bytes that connections of this loop have received and sent, for whoever wants to know.
    package var receivedByteCount = 0
    package var sentByteCount = 0

    private let epoll: FileDescriptor
    private let wake: Int32
    private var slots: [Slot] = []
    private var freeSlots: [Int32] = []
    private var timers = TimerQueue()
    private var turnEnders: [any TurnEndHandler] = []
    private var nextTurnEnders: [any TurnEndHandler] = []
    private var afterTurn: [() -> Void] = []
    private var isStopping = false
    private let events: UnsafeMutableBufferPointer<epoll_event>

    init(door: EventLoop, epoll: Int32, wake: Int32, now: MonotonicInstant) {
        self.door = door
        self.epoll = FileDescriptor(number: epoll)
        self.wake = wake
        self.now = now
        scratch = .allocate(byteCount: Loop.scratchByteCount, alignment: 64)
        outputScratch = .allocate(byteCount: Loop.outputScratchByteCount, alignment: 64)
        events = .allocate(capacity: Loop.eventsPerTurnMax)
        var event = epoll_event(events: EPOLLIN.rawValue, data: epoll_data_t(u64: Loop.wakeKey))
        epoll_ctl(epoll, EPOLL_CTL_ADD, wake, &event)
    }

    deinit {
        scratch.deallocate()
        outputScratch.deallocate()
        events.deallocate()
    }
}

// MARK: - Descriptors

extension Loop {
    package enum Trigger { case edge, levelShared }

    /// Watches the descriptor. With `edge` every change of readiness is told once; `levelShared` is for listening sockets
    /// that several loops watch, of which one is woken.
    package func register(_ descriptor: Int32, trigger: Trigger = .edge, handler: any IOHandler) throws(IOError)
        -> IORegistration
    {
        let slot: Int32
        if let free = freeSlots.popLast() {
            slot = free
        } else {
            slot = Int32(slots.count)
            slots.append(Slot())
        }
        slots[Int(slot)].handler = handler
        let registration = IORegistration(slot: slot, generation: slots[Int(slot)].generation)
        let interest: UInt32
        switch trigger {
        case .edge: interest = EPOLLIN.rawValue | EPOLLOUT.rawValue | EPOLLRDHUP.rawValue | EPOLLET.rawValue
        case .levelShared: interest = EPOLLIN.rawValue | EPOLLEXCLUSIVE.rawValue
        }
        var event = epoll_event(events: interest, data: epoll_data_t(u64: registration.key))
        guard epoll_ctl(epoll.number, EPOLL_CTL_ADD, descriptor, &event) == 0 else {
            let error = IOError.last("epoll_ctl")
            free(registration)
            throw error
        }
        return registration
    }

    /// Stops watching; events already fetched for it are dropped.
    package func deregister(_ registration: IORegistration, _ descriptor: Int32) {
        epoll_ctl(epoll.number, EPOLL_CTL_DEL, descriptor, nil)
        free(registration)
    }

    private func free(_ registration: IORegistration) {
        let index = Int(registration.slot)
        guard slots[index].generation == registration.generation else { return }
        slots[index].handler = nil
        slots[index].generation &+= 1
        freeSlots.append(registration.slot)
    }
}

// MARK: - Time and turns

extension Loop {
    /// Runs the action once the time has come, on this loop.
    @discardableResult
    package func schedule(after delay: Duration, _ action: @escaping () -> Void) -> TimerID {
        timers.add(at: now + delay, action)
    }

    /// Runs the action at the moment, or at the end of this turn when it has passed.
    package func schedule(at deadline: MonotonicInstant, _ action: @escaping () -> Void) -> TimerID {
        timers.add(at: deadline, action)
    }

    package func cancel(_ timer: TimerID) { timers.cancel(timer) }

    /// Asks for one call when the events of this turn are handled; the place to flush what the turn has gathered.
    package func atTurnEnd(_ handler: any TurnEndHandler) { turnEnders.append(handler) }

    /// Asks for one call at the end of the next turn, which begins without waiting; the place to go on after using up a share.
    package func atNextTurnEnd(_ handler: any TurnEndHandler) { nextTurnEnders.append(handler) }

    /// Runs the action when the turn is over and everything that waited for its end has been told: the moment at which
    /// a connection may leave for another loop.
    package func afterTurn(_ action: @escaping () -> Void) { afterTurn.append(action) }

    static func readClock() -> MonotonicInstant {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return MonotonicInstant(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }
}

// MARK: - Running

extension Loop {
    func run() {
        while !isStopping { runTurn() }
        door.refuseJobs()
    }

    func stop() { isStopping = true }

    /// Takes one turn at a time that the caller says it is; for loops that have no thread. True if anything happened.
    package func turn(at time: MonotonicInstant, waitingMilliseconds: Int32 = 0) -> Bool {
        let hasMore = !nextTurnEnders.isEmpty || !turnEnders.isEmpty || !afterTurn.isEmpty
        let isTimeUp = timers.nextDeadline.map { $0 <= time } ?? false
        let count = waitForEvents(upToMilliseconds: hasMore || isTimeUp ? 0 : waitingMilliseconds)
        takeTurn(eventCount: count, at: time)
        return count > 0 || hasMore || isTimeUp
    }

    private func runTurn() {
        let count = waitForEvents(upToMilliseconds: waitMilliseconds)
        takeTurn(eventCount: count, at: Loop.readClock())
    }

    private func waitForEvents(upToMilliseconds limit: Int32) -> Int {
        Int(max(0, epoll_wait(epoll.number, events.baseAddress, Int32(events.count), limit)))
    }

    private func takeTurn(eventCount: Int, at time: MonotonicInstant) {
        now = time
        turnEnders.append(contentsOf: nextTurnEnders)
        nextTurnEnders.removeAll(keepingCapacity: true)
        for index in 0..<eventCount { deliver(events[index]) }
        while let action = timers.popDue(at: now) { action() }
        endTurn()
    }

    private func deliver(_ event: epoll_event) {
        let key = event.data.u64
        guard key != Loop.wakeKey else { return runJobs() }
        let slot = slots[Int(UInt32(truncatingIfNeeded: key))]
        guard slot.generation == UInt32(truncatingIfNeeded: key >> 32), let handler = slot.handler else { return }
        handler.ioReady(IOReadiness(rawValue: event.events))
    }

    private func runJobs() {
        var count: UInt64 = 0
        _ = read(wake, &count, 8)
        for job in door.takeJobs() { job(self) }
    }

    private func endTurn() {
        var index = 0
        while index < turnEnders.count {
            turnEnders[index].turnEnded()
            index += 1
        }
        turnEnders.removeAll(keepingCapacity: true)
        guard !afterTurn.isEmpty else { return }
        let actions = afterTurn
        afterTurn.removeAll()
        for action in actions { action() }
    }

    private var waitMilliseconds: Int32 {
        guard nextTurnEnders.isEmpty, turnEnders.isEmpty, afterTurn.isEmpty else { return 0 }
        guard let deadline = timers.nextDeadline else { return -1 }
        let nanoseconds = deadline.nanoseconds - Loop.readClock().nanoseconds
        return Int32(clamping: max(0, (nanoseconds + 999_999) / 1_000_000))
    }
}
