extension Setting {
    // Where the service listens.
    static let https = Setting(
        "https", .addresses(default: ["127.0.0.1:8443"]), "listen with TLS here; repeat for more")
    static let http = Setting(
        "http", .addresses(default: ["127.0.0.1:8080"]),
        "listen in plain text here: serves on loopback, redirects to https elsewhere; repeat for more")
    static let logFormat = Setting("log_format", .choice(default: "text", of: ["text", "json"]), "how a log line is written")

    // What each tunnel, organization or address may do (control plane, sections 3 and 5).
    static let tunnelCreatesPerDay = Setting(
        "limit_tunnel_creates_per_day", .integer(default: 10, range: 0...1_000_000_000),
        "successful creates of an organization in 24 hours")
    static let secretRotationsPerDay = Setting(
        "limit_secret_rotations_per_day", .integer(default: 5, range: 0...1_000_000_000),
        "successful secret rotations of a tunnel in 24 hours")
    static let csrSigningsPerDay = Setting(
        "limit_csr_signings_per_day", .integer(default: 10, range: 0...1_000_000_000),
        "certificates signed for a tunnel in 24 hours")
    static let keyRotationsPer15Minutes = Setting(
        "limit_key_rotations_per_15_min", .integer(default: 3, range: 0...1_000_000_000),
        "attempts of an address to rotate a key in 15 minutes; agents cannot rotate keys yet")
    static let reservedNamesAdd = Setting("reserved_names_add", .words, "more names that no tunnel may have")
    static let reservedNamesRemove = Setting("reserved_names_remove", .words, "reserved names that tunnels may have after all")

    // The data plane (section 9).
    static let poolSize = Setting(
        "pool_size", .integer(default: 8, range: 1...32), "intakes that an agent parks when it asks for no number")
    static let queuedRequests = Setting(
        "limit_queued_requests_per_tunnel", .integer(default: 128, range: 0...100_000),
        "requests that wait for an intake before a tunnel answers 503")
    static let queueSeconds = Setting(
        "queue_wait_seconds", .integer(default: 5, range: 1...600), "how long a request waits for an intake before 503")
    static let intakeIdleSeconds = Setting(
        "intake_idle_seconds", .integer(default: 60, range: 1...3_600), "a parked intake is answered 204 after this")
    static let responseDeadlineSeconds = Setting(
        "response_deadline_seconds", .integer(default: 60, range: 1...3_600),
        "a third party gets 504 when no reply head has come by then")
    static let headerBytes = Setting(
        "limit_request_header_bytes", .integer(default: 64 * 1_024, range: 1_024...1_024 * 1_024),
        "size of a request's head before 431")
    static let headerFields = Setting(
        "limit_request_header_fields", .integer(default: 100, range: 8...1_000), "fields of a request's head before 431")
    static let bufferedBytes = Setting(
        "limit_buffered_request_bytes", .integer(default: 256 * 1_024, range: 16 * 1_024...16 * 1_024 * 1_024),
        "body of a request kept in memory before its sender has to wait")
    static let webSocketBytes = Setting(
        "limit_websocket_message_bytes", .integer(default: 1_024 * 1_024, range: 1_024...64 * 1_024 * 1_024),
        "size of a WebSocket message before the close code 1009; WebSockets are not carried yet")
    static let connectionsPerTunnel = Setting(
        "limit_connections_per_tunnel", .integer(default: 1_024, range: 1...1_000_000),
        "connections of third parties to one tunnel")
    static let connections = Setting(
        "limit_connections", .integer(default: 20_000, range: 1...1_000_000), "connections of third parties in all")
    static let helloSeconds = Setting(
        "hello_seconds", .integer(default: 10, range: 1...600), "an agent's connection without a hello is closed after this")

    // Patience with slow peers, in seconds.
    static let handshakeSeconds = Setting(
        "handshake_seconds", .integer(default: 10, range: 1...600), "how long a TLS handshake, or the wait for it, may take")
    static let headSeconds = Setting(
        "head_seconds", .integer(default: 10, range: 1...600), "how long the head of a request may take to arrive")
    static let keepAliveSeconds = Setting(
        "keep_alive_seconds", .integer(default: 60, range: 1...3_600), "how long a connection may be silent between requests")
    static let bodyGraceSeconds = Setting(
        "body_grace_seconds", .integer(default: 10, range: 1...600), "how long a request body may be as slow as it likes")
    static let bodyRate = Setting(
        "limit_body_bytes_per_second_min", .integer(default: 240, range: 0...1_000_000),
        "the average that a request body must keep after that")
    static let writeStallSeconds = Setting(
        "write_stall_seconds", .integer(default: 60, range: 1...3_600), "a peer that reads nothing for so long is cut off")
    static let pingIntervalSeconds = Setting(
        "ping_interval_seconds", .integer(default: 20, range: 1...600), "how often an agent's connection is asked for life")
    static let pingTimeoutSeconds = Setting(
        "ping_timeout_seconds", .integer(default: 10, range: 1...600), "how long the answer may take")

    // The machine.
    static let certificates = Setting(
        "limit_certificates", .integer(default: 10_000, range: 1...1_000_000), "hosts' certificates kept in memory")
    static let eventLoops = Setting(
        "event_loops", .integer(default: 0, range: 0...256), "threads that carry traffic; 0 is one for each core")
    static let drainSeconds = Setting(
        "drain_seconds", .integer(default: 30, range: 0...3_600), "how long SIGTERM waits for requests in flight")

    /// All of them, in the order of the help.
    static let all: [Setting] = [
        https, http, logFormat,
        tunnelCreatesPerDay, secretRotationsPerDay, csrSigningsPerDay, keyRotationsPer15Minutes, reservedNamesAdd,
        reservedNamesRemove,
        poolSize, queuedRequests, queueSeconds, intakeIdleSeconds, responseDeadlineSeconds, headerBytes, headerFields,
        bufferedBytes, webSocketBytes, connectionsPerTunnel, connections, helloSeconds,
        handshakeSeconds, headSeconds, keepAliveSeconds, bodyGraceSeconds, bodyRate, writeStallSeconds, pingIntervalSeconds,
        pingTimeoutSeconds,
        certificates, eventLoops, drainSeconds,
    ]
}
