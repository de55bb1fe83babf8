package import LinuxIO
internal import Synchronization

/// Something that is under way on a loop and can be given up there.
package protocol LoopCall: AnyObject, SendableMetatype {
    /// Ends the call; when it has ended already nothing happens.
    func cancel()
}

/// Ends a call from outside its loop, also before it has begun there.
package final class RipCord<Call: LoopCall>: Sendable {
    private struct State {
        var call: LoopBound<Call>?
        var isPulled = false
    }

    private let state = Mutex(State())

    package init() {}

    /// Ties the cord to its call; false when it was pulled already.
    package func attach(_ call: LoopBound<Call>) -> Bool {
        state.withLock { state in
            state.call = call
            return !state.isPulled
        }
    }

    package func pull(_ eventLoop: EventLoop) {
        let call = state.withLock { state in
            state.isPulled = true
            return state.call
        }
        guard let call else { return }
        eventLoop.execute { loop in call.value(on: loop).cancel() }
    }
}
