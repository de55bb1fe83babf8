internal import Synchronization
internal import TunnelProfile
internal import TunnelWire

/// The two languages of this program on one pipe: its own methods, and the Model Context Protocol.
///
/// Once a client has spoken the Model Context Protocol the native methods are closed to it: they would go around what tools
/// may do.
final class Front: SessionFront {
    private enum Dialect { case open, native, modelContext }

    private let methods: MethodTable
    let modelContext: MCPServer
    private let dialect: Mutex<Dialect>

    init(_ services: Services, _ options: Options) {
        methods = MethodTable(services)
        modelContext = MCPServer(
            services: services, methods: methods, allowed: options.allowed, confirmation: options.confirmation)
        dialect = Mutex(options.isMCPOnly ? .modelContext : .open)
    }

    func work(for method: String, _ call: Call, isNotification: Bool) -> Result<Work, JSONRPCError> {
        let isModelContext = MCPServer.isOwn(method) || MCPServer.isStateless(call.params)
        let dialect = dialect.withLock { dialect in
            if isModelContext {
                dialect = .modelContext
            } else if case .open = dialect, methods[method] != nil {
                dialect = .native
            }
            return dialect
        }
        if isModelContext { return modelContext.work(for: method, call) }
        guard let known = methods[method] else {
            return .failure(.methodNotFound("there is no method \"\(Printable.text(method))\"; rpc.discover lists them"))
        }
        guard case .modelContext = dialect else { return .success(known.work()) }
        return .failure(.methodNotFound("a client of the Model Context Protocol uses tools; see tools/list"))
    }

    func reporter(_ method: String, _ params: JSONRPCParams, _ session: Session) -> (@Sendable (Progress) -> Void)? {
        if let token = params["_meta"]?["progressToken"], JSONRPCID(token) != nil, token != .null {
            return { session.notify("notifications/progress", Self.modelContextProgress(token, $0)) }
        }
        if let token = params["workDoneToken"], JSONRPCID(token) != nil, token != .null {
            return { session.notify("$/progress", Self.nativeProgress(token, $0)) }
        }
        return nil
    }

    private static func modelContextProgress(_ token: JSON, _ progress: Progress) -> JSON {
        .some([
            "progressToken": token, "progress": .number(String(progress.done)),
            "total": progress.total.map { .number(String($0)) }, "message": .string(progress.message),
        ])
    }

    private static func nativeProgress(_ token: JSON, _ progress: Progress) -> JSON {
        let percentage = progress.total.flatMap { $0 > 0 ? JSON.integer(Int(progress.done / $0 * 100)) : nil }
        return .members([
            "token": token,
            "value": .some(["kind": .string("report"), "message": .string(progress.message), "percentage": percentage]),
        ])
    }

    func error(_ error: any Error) -> JSONRPCError { RPCFailure.describe(error) }

    /// Tells the client what has happened, in its language.
    func tell(_ notice: Notice, _ session: Session) {
        switch dialect.withLock({ $0 }) {
        case .open: break
        case .native: tellNatively(notice, session)
        case .modelContext: modelContext.tell(notice, session)
        }
    }

    /// Tells the client what another program says has happened.
    ///
    /// - Throws: why the client was not told.
    func forward(_ event: ForeignEvent, _ session: Session) throws {
        let isTold =
            switch dialect.withLock({ $0 }) {
            case .open:
                throw RPCFailure.make(
                    .conflict, "the client has not called anything yet, so it is not known which way it wants to be told")
            case .native: session.notify("event", event.document)
            case .modelContext: try modelContext.forward(event, session)
            }
        guard isTold else {
            throw RPCFailure.overloaded("the client does not read what it is told; send it again later")
        }
    }

    private func tellNatively(_ notice: Notice, _ session: Session) {
        switch notice {
        case .agentStatus(let agent, _): session.notify("agent.status", agent)
        case .requestReceived(let request): session.notify("request.received", request)
        case .requestGone(let id, let reason):
            session.notify("request.gone", .members(["id": .number(id), "reason": .string(reason)]))
        case .requestFinished(let request, _):
            session.notify("agent.request", TrafficDocument(bodyCharacterCountMax: 0).summary(request))
        case .event(let event): session.notify("event", event)
        case .log: break
        }
    }
}
