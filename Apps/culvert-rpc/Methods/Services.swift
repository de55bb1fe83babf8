internal import Synchronization
internal import TunnelClient
internal import TunnelProfile

/// What methods work with. The server is looked for when the first call needs it: the rules answer without one.
final class Services: Sendable {
    let limits: Limits
    let traffic: TrafficLog
    let fleet: AgentFleet
    private let options: Options
    private let environment: [String: String]
    private let access = Mutex<ServerAccess?>(nil)
    private let board = NoticeBoard()

    init(_ options: Options, environment: [String: String]) {
        self.options = options
        self.environment = environment
        limits = options.limits
        let board = board
        let tell: @Sendable (Notice) -> Void = { board.tell($0) }
        traffic = TrafficLog(limits: limits, tell: tell)
        fleet = AgentFleet(
            limits: limits, exchange: AgentExchange(limits: limits, traffic: traffic, tell: tell), tell: tell)
    }

    /// Sends every notice to the closure from now on.
    func listen(_ listener: @escaping @Sendable (Notice) -> Void) { board.listen(listener) }

    func tell(_ notice: Notice) { board.tell(notice) }

    var server: ServerAccess {
        get throws {
            try access.withLock { access in
                if let access { return access }
                let profile = try Profile(options.choices, environment: environment)
                let made = ServerAccess(
                    profile: profile, client: try profile.client(userAgent: "culvert-rpc/\(Version.text)"))
                access = made
                return made
            }
        }
    }
}

/// Carries notices from where things happen to who tells the client.
private final class NoticeBoard: Sendable {
    private let listener = Mutex<(@Sendable (Notice) -> Void)?>(nil)

    func listen(_ new: @escaping @Sendable (Notice) -> Void) { listener.withLock { $0 = new } }

    func tell(_ notice: Notice) { listener.withLock { $0 }?(notice) }
}
