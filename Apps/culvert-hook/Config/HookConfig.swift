import LinuxIO
import TunnelDomain
import TunnelWire

/// Everything that the configuration file says, checked.
struct HookConfig: Sendable {
    var listen: [SocketAddress]
    var tunnel: TunnelConfig?
    /// The folder of the inbox.
    var data: String
    var limits: InboxLimits
    /// Bytes of a body; a longer one is refused with 413.
    var bodyByteCountMax: Int
    /// Bytes of bodies that are being received at once, of all requests together; whoever needs more is sent away with 503.
    var receivingByteCountMax: Int
    /// Steps that all searches of a filter's patterns may take for one event; one that would need more is kept and not run.
    var searchStepCountMax: Int
    /// How long what is done stays in the history, and how long a delivery's id is remembered.
    var retention: Duration
    /// Where the metrics are on the local port; nil for nowhere.
    var metricsPath: String?
    var routes: [RouteConfig]

    static let bodyByteCountMaxDefault = 1 << 20
    static let receivingByteCountMaxDefault = 256 << 20
    static let retentionHoursDefault = 168
    static let searchStepCountMaxDefault = WebhookFilter.stepCountMaxDefault
    static let searchStepCounts = 1_000...100_000_000
}

/// A tunnel that the listener serves itself.
struct TunnelConfig: Sendable {
    var name: String
    var server: String?
    var apiKey: String?
    var caFile: String?
}

struct RouteConfig: Sendable {
    /// Names the route in history and metrics; runs find their action by it.
    var name: String
    var path: String
    var methods: [String]
    var scheme: WebhookScheme
    /// For `send`: an Ed25519 private key, where the configuration has one.
    var signingSeed: [UInt8]?
    var tolerance: Duration
    var deliveryID: DeliveryIDPlace?
    /// How long a message is refused under another delivery id where the sender signs no time; nil for not at all.
    var replayWindow: Duration?
    /// Scheme and host that the sender calls, where they differ from what arrives.
    var origin: String?
    /// A field in which a proxy at one of these addresses tells the client certificate's subject.
    var subjectField: (name: String, proxies: [IPRange])?
    var filter: WebhookFilter
    var action: ActionConfig
    var orderBy: JSONPointer?
    var concurrencyMax: Int
    var timeout: Duration
    var plan: RetryPlan
    var expiry: Duration?
    var response: ResponseConfig
}

struct ResponseConfig: Sendable {
    /// What a sender is told when the event is on the disk.
    var status: Int
    var contentType: String
    var body: String
    /// How long the sender is kept for the action's own answer; nil for not at all.
    var wait: Duration?
}

/// Where a value for an action comes from.
enum ValueSource: Sendable, Hashable {
    case fixed(String)
    case event(WebhookFilter.Source)
}

enum ActionConfig: Sendable {
    case exec(ExecConfig)
    case http(ForwardConfig)
    case rpc(RPCConfig)
    case socket(SocketConfig)
    case culvert(ControlConfig)
}

struct ExecConfig: Sendable {
    var command: [String]
    var environment: [(name: String, source: ValueSource)]
    var directory: String?
    var user: String?
    var outputByteCountMax: Int
    /// Exit codes after which trying again is useless.
    var finalExitCodes: [Int]
    var killGrace: Duration

    static let outputByteCountMaxDefault = 64 * 1024
    static let outputByteCounts = 0...(1 << 20)
}

struct ForwardConfig: Sendable {
    var url: WebhookURL
    /// Fields of the event that go along.
    var fields: [String]
    var fixedFields: [(name: String, value: String)]
    /// How the event is signed anew.
    var signing: WebhookScheme?
    /// Whether addresses of this machine and of private networks may be called.
    var allowsPrivate: Bool
    var caFile: String?
    /// Bytes of the answer that are kept; the rest is not read.
    var outputByteCountMax: Int
}

struct RPCConfig: Sendable {
    var command: [String]
    var environment: [(name: String, value: String)]
    var directory: String?
    var method: String
    /// Whether nothing is answered; then an event is done as soon as the program has read it.
    var isNotification: Bool
}

/// A JSON-RPC program that listens on a Unix socket.
struct SocketConfig: Sendable {
    /// Bytes of its path that a socket's address holds, one of them the NUL.
    static let pathByteCountMax = 107

    var path: String
    var method: String
    var isNotification: Bool
}

struct ControlConfig: Sendable {
    enum Act: String, CaseIterable, Sendable {
        case rotateConnectSecret = "rotate-connect-secret"
        case restoreTunnel = "restore-tunnel"
        case deleteTunnel = "delete-tunnel"
        case rotateSigningKey = "rotate-signing-key"
        case revokeAPIKey = "revoke-api-key"
        case deleteIdentity = "delete-identity"
    }

    var act: Act
    /// The tunnel's name, the identity's handle or the key's id.
    var subject: ValueSource
    var server: String
    var apiKey: String
    var caFile: String?
    /// Where a new secret goes: a file that only this user can read.
    var secretFile: String?
}
