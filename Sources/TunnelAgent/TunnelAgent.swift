internal import LinuxIO
internal import Synchronization
internal import TLS

/// What answers the requests.
public enum AgentWork: Sendable {
    /// A local HTTP server; nothing else is ever forwarded to.
    case target(AgentTarget, TargetAddressPolicy = .loopbackOnly)
    /// A closure of the embedding program, called once for each request. An error that it throws becomes a 502; its task is
    /// cancelled when the third party goes away.
    case handler(@Sendable (AgentRequest) async throws -> AgentResponse)
}

/// Carries traffic for one tunnel: connects to the server, stays connected, and has every request answered.
///
/// ```swift
/// let agent = TunnelAgent(configuration, serving: .handler { request in
///     AgentResponse(status: 200, body: Array("hello".utf8))
/// })
/// Task { for await event in agent.events { print(event) } }
/// let stop = await agent.run()
/// ```
///
/// All network work happens on one thread of its own. The protocol is the one of the Inkbox SDKs (data plane §§1–5, 8).
public final class TunnelAgent: Sendable {
    /// What happens, in order; the sequence ends after ``AgentEvent/stopped(_:)``. The oldest events are dropped when nobody
    /// reads and 1,024 have gathered.
    public let events: AsyncStream<AgentEvent>
    /// Events that are kept for a reader that is late.
    public static let eventsBufferedMax = 1_024

    private let configuration: AgentConfiguration
    private let work: AgentWork
    private let outbox: AsyncStream<AgentEvent>.Continuation
    private let life = Mutex(Life.new)

    private enum Life {
        case new
        case running(EventLoop?)
        case stopRequested
        case ended
    }

    /// An agent that does nothing until ``run()``.
    public init(_ configuration: AgentConfiguration, serving work: AgentWork) {
        self.configuration = configuration
        self.work = work
        (events, outbox) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(Self.eventsBufferedMax))
    }

    /// Serves until it is stopped or can never succeed; then says why. May be called once.
    ///
    /// Losing the connection is no end: the agent connects again, first after about a second, later after up to half a minute.
    public func run() async -> AgentStop {
        let isFirst = life.withLock { life in
            guard case .new = life else { return false }
            life = .running(nil)
            return true
        }
        precondition(isFirst, "an agent runs once; make another one")
        let stop = await serve()
        life.withLock { $0 = .ended }
        outbox.yield(.stopped(stop))
        outbox.finish()
        return stop
    }

    /// Takes no more requests, lets those under way finish for up to ``AgentLimits/drainSecondsMax`` seconds, and
    /// ends ``run()``.
    public func stop() {
        let loop = life.withLock { life -> EventLoop? in
            switch life {
            case .new, .stopRequested, .ended: return nil
            case .running(let loop):
                if loop == nil { life = .stopRequested }
                return loop
            }
        }
        loop?.execute { ($0.resident as? AgentCore)?.stop() }
    }

    private func serve() async -> AgentStop {
        let parts: (context: TLSContext, server: AgentServer, loop: EventLoop)
        do {
            parts = (try trustContext(), try await server(), try EventLoop())
        } catch let problem as Misconfiguration {
            return .misconfigured(problem.text)
        } catch {
            return .misconfigured("the agent cannot start: \(error)")
        }
        let stop = await withCheckedContinuation { continuation in
            let (configuration, outbox) = (self.configuration, self.outbox)
            parts.loop.execute { loop in
                let core = AgentCore(
                    configuration: configuration, context: parts.context, server: parts.server, loop: loop, outbox: outbox
                ) { continuation.resume(returning: $0) }
                loop.resident = core
                core.start()
            }
            let isStopRequested = life.withLock { life in
                if case .stopRequested = life { return true }
                life = .running(parts.loop)
                return false
            }
            if isStopRequested { parts.loop.execute { ($0.resident as? AgentCore)?.stop() } }
        }
        parts.loop.execute { $0.resident = nil }
        parts.loop.stop()
        return stop
    }

    private struct Misconfiguration: Error { var text: String }

    private func trustContext() throws -> TLSContext {
        do {
            switch configuration.trust {
            case .system: return try TLSContext.client(applicationProtocols: ["h2"], trust: .system)
            case .authorities(let file): return try TLSContext.client(applicationProtocols: ["h2"], trust: .file(file))
            }
        } catch {
            throw Misconfiguration(text: "the trusted certificates cannot be read: \(error)")
        }
    }

    private func server() async throws -> AgentServer {
        switch work {
        case .handler(let handler): return .handler(handler)
        case .target(let target, let policy):
            // Names are looked up off the caller's task: it may take seconds.
            let lookup = Task.detached { try TargetResolution.resolve(target, policy: policy) }
            do { return .target(target, try await lookup.value) } catch { throw Misconfiguration(text: "\(error)") }
        }
    }
}

/// What answers the requests, checked and resolved.
enum AgentServer: Sendable {
    case target(AgentTarget, [SocketAddress])
    case handler(@Sendable (AgentRequest) async throws -> AgentResponse)
}
