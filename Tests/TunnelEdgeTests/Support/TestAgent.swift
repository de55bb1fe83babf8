import HTTPTransport
import LinuxIO
import TestSupport
import TunnelDomain
import TunnelWire

/// An agent as the data plane describes it, one step at a time.
struct TestAgent: Sendable {
    var tunnel: TestTunnel
    var client: EdgeClient
    var ownerToken = ""
    /// What it shows instead of the tunnel's secret.
    var apiKey: String?

    private var credential: [(String, String)] {
        [("x-tunnel-id", tunnel.id), apiKey.map { ("x-api-key", $0) } ?? ("x-tunnel-secret", tunnel.secret)]
    }

    /// Says hello, and remembers the owner token.
    mutating func hello(
        poolSize: Int? = nil, features: String? = nil, with other: [(String, String)]? = nil
    ) async throws
        -> Answer
    {
        var fields = other ?? credential
        fields.append(("content-length", "0"))
        if let poolSize { fields.append(("x-pool-size", "\(poolSize)")) }
        if let features { fields.append(("x-culvert-features", features)) }
        let answer = try await client.call("POST", "/_system/hello", host: "localhost", fields).answer()
        if let token = answer.text.firstMatch(of: /"owner_token":"([0-9a-f]+)"/) { ownerToken = String(token.1) }
        return answer
    }

    /// Parks an intake, which may stay open for a reply.
    func park(_ slot: Int = 0, token: String? = nil, isOpen: Bool = false) async throws -> Call {
        try await client.call(
            "POST", "/_system/intake", host: "localhost",
            [("x-tunnel-id", tunnel.id), ("x-owner-token", token ?? ownerToken), ("x-pool-slot", "\(slot)")],
            isWhole: !isOpen)
    }

    /// Says that it leaves.
    func leave(token: String? = nil) async throws -> Answer {
        try await client.call(
            "POST", "/_system/leave", host: "localhost",
            [("x-tunnel-id", tunnel.id), ("x-owner-token", token ?? ownerToken), ("content-length", "0")]
        ).answer()
    }

    /// Answers a request with a whole body.
    func reply(
        _ id: String, status: Int = 200, _ fields: [(String, String)] = [], body: String = "", secret: String? = nil
    ) async throws -> Answer {
        try await beginReply(id, status: "\(status)", fields, body: Array(body.utf8), isWhole: true, secret: secret).answer()
    }

    /// Binds this end of a WebSocket.
    func bind(
        _ webSocketID: String, secret: String? = nil, as name: String = "inkbox-tunnel-ws", method: String = "CONNECT"
    ) async throws -> Call {
        let fields = [
            ("x-tunnel-id", tunnel.id), ("x-tunnel-secret", secret ?? tunnel.secret), ("inkbox-ws-id", webSocketID),
            ("sec-websocket-version", "13"),
        ]
        return try await client.call(
            method, "/_system/ws/\(webSocketID)", host: "localhost", fields, isWhole: false,
            upgradeProtocol: method == "CONNECT" ? name : nil)
    }

    /// Binds this end of a TCP stream, as the published SDK does.
    func bindTCP(
        _ id: String, secret: String? = nil, as name: String = "inkbox-tunnel-tcp", method: String = "CONNECT"
    ) async throws -> Call {
        let fields = [
            ("x-tunnel-id", tunnel.id), ("x-tunnel-secret", secret ?? tunnel.secret), ("inkbox-tcp-id", id),
            ("sec-websocket-version", "13"), ("sec-websocket-protocol", "inkbox-tunnel-tcp"),
        ]
        return try await client.call(
            method, "/_system/tcp/\(id)", host: "localhost", fields, isWhole: false,
            upgradeProtocol: method == "CONNECT" ? name : nil)
    }

    /// Begins a reply, whose body follows.
    func beginReply(
        _ id: String, status: String = "200", _ fields: [(String, String)] = [], body: [UInt8]? = nil, isWhole: Bool = false,
        secret: String? = nil
    ) async throws -> Call {
        let shown = secret.map { [("x-tunnel-id", tunnel.id), ("x-tunnel-secret", $0)] } ?? credential
        let own = shown + [("inkbox-status", status), ("inkbox-request-id", id)]
        return try await client.call(
            "POST", "/_system/response/\(id)", host: "localhost", own + fields.map { ("inkbox-h-\($0.0)", $0.1) }, body: body,
            isWhole: isWhole)
    }
}

extension Call {
    /// Waits for the envelope of an intake; its id, or an empty text when the intake ended without one.
    func requestID() async -> String { await head()?.fields.first(named: "inkbox-request-id") ?? "" }
}
