internal import Glibc
internal import Synchronization

extension AddressResolver {
    /// The same as `resolve`, on a thread of its own, so that neither a loop nor the pool of tasks waits for a name server.
    ///
    /// Each look-up that is under way is a thread, even after nobody waits for it: the caller bounds how many there are.
    /// - Parameter secondsMax: after which the look-up counts as failed, whatever the system's resolver still hopes for.
    package static func resolveElsewhere(
        _ host: String, port: UInt16, secondsMax: Int = 10
    ) async -> Result<[SocketAddress], Failure> {
        await within(secondsMax, of: host) { lookup in
            let work = Work(host: host, port: port, lookup: lookup)
            var thread = pthread_t()
            let code = pthread_create(&thread, nil, lookupMain, Unmanaged.passRetained(work).toOpaque())
            guard code == 0 else {
                Unmanaged.passUnretained(work).release()
                return lookup.finish(.failure(Failure(host: host, reason: String(cString: strerror(code)))))
            }
            pthread_detach(thread)
        }
    }

    /// Waits for a look-up to finish, but not for longer than this.
    package static func within(
        _ secondsMax: Int, of host: String, _ start: (Lookup) -> Void
    ) async -> Result<[SocketAddress], Failure> {
        await withCheckedContinuation { continuation in
            let lookup = Lookup(continuation)
            lookup.give(
                Task {
                    guard (try? await Task.sleep(for: .seconds(secondsMax))) != nil else { return }
                    lookup.finish(.failure(Failure(host: host, reason: "no answer within \(secondsMax) s")))
                })
            start(lookup)
        }
    }
}

/// A look-up that somebody waits for: its first ending counts.
package final class Lookup: Sendable {
    package typealias Answer = Result<[SocketAddress], AddressResolver.Failure>

    private struct State {
        var continuation: CheckedContinuation<Answer, Never>?
        var timer: Task<Void, Never>?
    }
    private let state: Mutex<State>

    init(_ continuation: CheckedContinuation<Answer, Never>) { state = Mutex(State(continuation: continuation)) }

    /// The timer that ends it; it is stopped when it is not needed any more.
    fileprivate func give(_ timer: Task<Void, Never>) {
        let isOver = state.withLock { state in
            state.timer = timer
            return state.continuation == nil
        }
        if isOver { timer.cancel() }
    }

    package func finish(_ answer: Answer) {
        let last = state.withLock { state in
            let last = state
            state = State()
            return last
        }
        last.timer?.cancel()
        last.continuation?.resume(returning: answer)
    }
}

private final class Work: Sendable {
    let host: String
    let port: UInt16
    let lookup: Lookup

    init(host: String, port: UInt16, lookup: Lookup) {
        self.host = host
        self.port = port
        self.lookup = lookup
    }

    func run() {
        do throws(AddressResolver.Failure) {
            lookup.finish(.success(try AddressResolver.resolve(host, port: port)))
        } catch {
            lookup.finish(.failure(error))
        }
    }
}

private func lookupMain(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let argument else { return nil }
    Unmanaged<Work>.fromOpaque(argument).takeRetainedValue().run()
    return nil
}
