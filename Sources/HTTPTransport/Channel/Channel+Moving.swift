package import LinuxIO

extension Channel {
    /// Leaves this loop at the end of its turn and goes on on another one, where `arrive` runs.
    ///
    /// `leave` runs last on this loop: the place to cancel timers. A channel that closes meanwhile does not move.
    package func move(to door: EventLoop, leave: @escaping () -> Void, arrive: @escaping (Channel) -> Void) {
        loop.afterTurn { [self] in
            guard state == .open, !isClosingAfterFlush, !isWriteShut, let registration else { return }
            guard !isQueuedForNextTurn, !isFlushScheduled else { return move(to: door, leave: leave, arrive: arrive) }
            leave()
            loop.deregister(registration, descriptor)
            self.registration = nil
            let parcel = Parcel(channel: self, arrive: arrive)
            door.execute { parcel.deliver(on: $0) }
        }
    }

    fileprivate func land(on loop: Loop) {
        self.loop = loop
        mayRead = true
        maySend = true
        do { registration = try loop.register(descriptor, handler: self) } catch { finish(.io(error)) }
        scheduleTurnEnd()
    }
}

/// A channel on its way between loops.
// The sender has taken the channel off its loop and touches it no more; only the receiving loop's thread opens the parcel.
private final class Parcel: @unchecked Sendable {
    private let channel: Channel
    private let arrive: (Channel) -> Void

    init(channel: Channel, arrive: @escaping (Channel) -> Void) {
        self.channel = channel
        self.arrive = arrive
    }

    func deliver(on loop: Loop) {
        channel.land(on: loop)
        arrive(channel)
    }
}
