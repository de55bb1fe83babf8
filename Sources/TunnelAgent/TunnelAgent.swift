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
    /// A local TLS server that ends the TLS of a passthrough tunnel itself: third parties' connections go to it byte by byte.
    case tlsTarget(AgentTarget, TargetAddressPolicy = .loopbackOnly)
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
    public let events: AgentEvents
    /// Events that are kept for a reader that is late.
    public static let eventsBufferedMax = 1_024

    private let configuration: AgentConfiguration
    private let work: AgentWork
    private let outbox: AgentOutbox
    private let life = Mutex(Life.new)
    private let replacement = Mutex<Replacement?>(nil)

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
        outbox = AgentOutbox(eventsBufferedMax: Self.eventsBufferedMax)
        events = outbox.events
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
        outbox.put([.stopped(stop)])
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

    /// Answers the requests that come from now on in another way. Those under way and open WebSockets go on as they began, and
    /// the connection to the server is not touched.
    ///
    /// - Throws: ``TargetRefusal`` when the target may not be forwarded to; then everything stays as it was.
    public func reconfigure(serving work: AgentWork, rules: AgentRules) async throws(TargetRefusal) {
        let server = try await Self.server(for: work)
        replacement.withLock { $0 = Replacement(server: server, rules: rules) }
        takeUpReplacement()
    }

    private struct Replacement {
        var server: AgentServer
        var rules: AgentRules
    }

    /// Hands what is to be served from now on to the loop; where there is none yet, it is asked for again once there is.
    private func takeUpReplacement() {
        let loop = life.withLock { life -> EventLoop? in
            guard case .running(let loop) = life else { return nil }
            return loop
        }
        guard let loop, let next = replacement.withLock({ $0.take() }) else { return }
        loop.execute { ($0.resident as? AgentCore)?.serve(next.server, next.rules) }
    }

    private func serve() async -> AgentStop {
        let parts: (context: TLSContext, server: AgentServer, loop: EventLoop)
        let keeper: CertificateKeeper?
        let passthrough: PassthroughWork?
        do {
            parts = (try trustContext(), try await Self.server(for: work), try EventLoop())
            keeper = try await certificateKeeper()
            passthrough = try self.passthrough(parts.server, keeper)
        } catch let problem as Misconfiguration {
            return .misconfigured(problem.text)
        } catch let refusal as TargetRefusal {
            return .misconfigured(refusal.description)
        } catch {
            return .misconfigured("the agent cannot start: \(error)")
        }
        let stop = await withCheckedContinuation { continuation in
            let (configuration, outbox) = (self.configuration, self.outbox)
            parts.loop.execute { loop in
                let core = AgentCore(
                    configuration: configuration, context: parts.context, server: parts.server, passthrough: passthrough,
                    loop: loop, outbox: outbox
                ) { continuation.resume(returning: $0) }
                loop.resident = core
                core.start()
                if let keeper {
                    core.repeatedly(after: CertificateKeeper.lookInterval) {
                        Task { await keeper.renewIfDue { outbox.put([$0]) } }
                    }
                }
            }
            let isStopRequested = life.withLock { life in
                if case .stopRequested = life { return true }
                life = .running(parts.loop)
                return false
            }
            takeUpReplacement()
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

    private func certificateKeeper() async throws -> CertificateKeeper? {
        guard let tls = configuration.tls else { return nil }
        do { return try await CertificateKeeper.prepare(tls, host: configuration.publicHost) } catch {
            throw Misconfiguration(text: error.description)
        }
    }

    private func passthrough(_ server: AgentServer, _ keeper: CertificateKeeper?) throws -> PassthroughWork? {
        if case .tlsTarget(let target, let addresses) = server { return .target(target, addresses) }
        guard let keeper else { return nil }
        return .here(try TLSContext.server(applicationProtocols: ["h2", "http/1.1"], identity: keeper.slot))
    }

    private static func server(for work: AgentWork) async throws(TargetRefusal) -> AgentServer {
        switch work {
        case .handler(let handler): return .handler(handler)
        case .target(let target, let policy): return .target(target, try await addresses(of: target, policy))
        case .tlsTarget(let target, let policy): return .tlsTarget(target, try await addresses(of: target, policy))
        }
    }

    private static func addresses(
        of target: AgentTarget, _ policy: TargetAddressPolicy
    ) async throws(TargetRefusal) -> [TargetAddress] {
        // Names are looked up off the caller's task: it may take seconds.
        let lookup = await Task.detached { () -> Result<[TargetAddress], TargetRefusal> in
            do throws(TargetRefusal) { return .success(try TargetResolution.resolve(target, policy: policy)) } catch {
                return .failure(error)
            }
        }.value
        return try lookup.get()
    }
}

/// What answers the requests, checked and resolved.
enum AgentServer: Sendable {
    case target(AgentTarget, [TargetAddress])
    case tlsTarget(AgentTarget, [TargetAddress])
    case handler(@Sendable (AgentRequest) async throws -> AgentResponse)
}
