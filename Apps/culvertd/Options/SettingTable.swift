import TunnelDomain

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
        "attempts of an address (IPv6: of a /64) to rotate a key in 15 minutes")
    static let apiKeyRotationsPerDay = Setting(
        "limit_api_key_rotations_per_day", .integer(default: 10, range: 0...1_000_000_000),
        "rotations of an identity's API keys by administrators, and of the organization's own together, in 24 hours")
    static let keyScopes = Setting(
        "limit_scopes_per_key", .integer(default: APIKeyFields.scopeCountMaxDefault, range: 1...1_000),
        "scopes that an API key may be narrowed to before 422")
    static let keyRanges = Setting(
        "limit_ip_ranges_per_key", .integer(default: APIKeyFields.rangeCountMaxDefault, range: 1...1_000),
        "ranges of addresses that an API key may be narrowed to before 422")
    static let apps = Setting(
        "limit_apps_per_organization", .integer(default: 100, range: 0...1_000_000), "apps of an organization before 409")
    static let apiRequestsPerMinute = Setting(
        "limit_api_requests_per_min", .integer(default: 6_000, range: 1...1_000_000_000),
        "requests to the API from one address (IPv6: /64), and with one credential, in a minute before 429")
    static let authFailuresPerMinute = Setting(
        "limit_auth_failures_per_min", .integer(default: 300, range: 0...1_000_000_000),
        "failed authentications from one address (IPv6: /64) in a minute before 429")
    static let trackedCallers = Setting(
        "limit_tracked_addresses", .integer(default: 65_536, range: 1...10_000_000),
        "addresses, and credentials, told apart by these two limits; beyond it the longest silent are forgotten")
    static let bodyBytesPerAddress = Setting(
        "limit_api_body_bytes_per_address", .integer(default: 8 * 1_024 * 1_024, range: 1_024 * 1_024...32 * 1_024 * 1_024),
        "request bodies of the API that one address may keep in memory on each event loop before 503")
    static let trustedProxies = Setting(
        "trusted_proxies", .networks,
        "proxies in front of the service whose X-Forwarded-For or Forwarded is believed; repeat for more")
    static let metricsNetworks = Setting(
        "metrics_networks", .networks, "who else than this machine may read `GET /metrics`; repeat for more")
    static let reservedNamesAdd = Setting("reserved_names_add", .words, "more names that no tunnel may have")
    static let reservedNamesRemove = Setting("reserved_names_remove", .words, "reserved names that tunnels may have after all")

    // Events (control plane, section 7).
    static let keptEvents = Setting(
        "limit_events_per_organization", .integer(default: 100_000, range: 1...100_000_000),
        "events of an organization that are kept for those who resume")
    static let eventDays = Setting(
        "event_days", .integer(default: 7, range: 1...3_650), "an event that is older is forgotten")
    static let eventStreams = Setting(
        "limit_event_streams_per_organization", .integer(default: 20, range: 0...10_000),
        "streams of `GET /api/v1/events` of an organization before 429")
    static let eventSilenceSeconds = Setting(
        "event_silence_seconds", .integer(default: 15, range: 1...3_600),
        "a silent event stream carries a comment after this, and its credential is checked again")
    // Webhooks (control plane, section 7).
    static let webhooks = Setting(
        "limit_webhooks_per_organization", .integer(default: 50, range: 0...100_000), "webhook subscriptions before 409")
    static let webhookSeconds = Setting(
        "webhook_attempt_seconds", .integer(default: 15, range: 1...300), "how long a delivery may take to be answered")
    static let webhookHours = Setting(
        "webhook_retry_hours", .integer(default: 24, range: 1...720), "how long a delivery that fails is tried again")
    static let deliveryDays = Setting(
        "webhook_delivery_days", .integer(default: 7, range: 1...365), "how long deliveries that have ended stay in their log")
    static let keptDeliveries = Setting(
        "limit_deliveries_per_webhook", .integer(default: 10_000, range: 10...10_000_000),
        "deliveries of a webhook that are kept, pending ones included; beyond it the oldest are given up")
    static let deliveries = Setting(
        "limit_deliveries_at_once", .integer(default: 64, range: 1...1_000), "deliveries that are under way together")
    static let deliveriesPerOrganization = Setting(
        "limit_deliveries_at_once_per_organization", .integer(default: 8, range: 1...1_000), "the same for each organization")
    static let deliveriesPerWebhook = Setting(
        "limit_deliveries_at_once_per_webhook", .integer(default: 4, range: 1...1_000), "the same for each webhook")
    static let webhookHTTP = Setting(
        "webhook_allow_http", .choice(default: "no", of: ["no", "yes"]), "whether webhooks may go to http: URLs, in clear text")
    static let webhookPrivateAddresses = Setting(
        "webhook_allow_private_addresses", .choice(default: "no", of: ["no", "yes"]),
        "whether webhooks may go to loopback, private and link-local addresses: only where you trust every organization")
    // The data plane (section 9).
    static let poolSize = Setting(
        "pool_size", .integer(default: 8, range: 1...32), "intakes that an agent parks when it asks for no number")
    static let queuedRequests = Setting(
        "limit_queued_requests_per_tunnel", .integer(default: 128, range: 0...100_000),
        "requests that wait for an intake before a tunnel answers 503")
    static let requestsPerSecond = Setting(
        "limit_requests_per_second_per_tunnel", .integer(default: 50_000, range: RequestPace.ratesPerSecond),
        "requests and TLS connections of a tunnel in a second, and at once, before it answers 429")
    static let sharingAgents = Setting(
        "limit_sharing_agents_per_tunnel", .integer(default: 16, range: 1...256),
        "agents that serve one tunnel side by side before a hello is answered 503")
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
        "size of a WebSocket message before the close code 1009")
    static let webSocketBindSeconds = Setting(
        "websocket_bind_seconds", .integer(default: 10, range: 1...300),
        "seconds that an agent has to join a WebSocket it has accepted, before the close code 4504")
    static let tcpBindSeconds = Setting(
        "passthrough_bind_seconds", .integer(default: 10, range: 1...300),
        "seconds that an agent has to join a TLS connection it ends, before the alert internal_error")
    static let tcpLingerSeconds = Setting(
        "passthrough_linger_seconds", .integer(default: 5, range: 1...60),
        "seconds that the client of a passthrough tunnel has to end its side after the other has ended")
    static let tcpStallSeconds = Setting(
        "passthrough_stall_seconds", .integer(default: 60, range: 2...3_600),
        "seconds without progress after which the client of a passthrough tunnel that does not read is cut off")
    static let webSocketPingSeconds = Setting(
        "websocket_ping_seconds", .integer(default: 30, range: 0...3_600),
        "seconds between pings to the client of a WebSocket; one unanswered until the next ends it; 0 for none")
    static let webSocketCloseSeconds = Setting(
        "websocket_close_seconds", .integer(default: 5, range: 1...60),
        "seconds that either end of a WebSocket has to answer its close")
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
    static let authorityPassphraseFile = Setting(
        "ca_passphrase_file", .file,
        "file of mode 0600 with the passphrase of the CA's key, where `culvertd init` was given one")
    static let eventLoops = Setting(
        "event_loops", .integer(default: 0, range: 0...256), "threads that carry traffic; 0 is one for each core")
    // The end of the service (data plane, section 8).
    static let drainSeconds = Setting(
        "drain_seconds", .integer(default: 30, range: 0...3_600),
        "how long a service that ends, or has been taken over from, waits for requests in flight")
    static let drainIdleSeconds = Setting(
        "drain_idle_seconds", .integer(default: 3, range: 0...600),
        "how long a service that has been taken over from keeps a silent connection, whose client may be about to ask")
    static let webSocketNoticeSeconds = Setting(
        "websocket_notice_seconds", .integer(default: 5, range: 0...3_600),
        "how long WebSockets go on when the service ends or has been taken over from, before the close code 4500; carried TLS "
            + "connections when it ends")
    static let takeoverSeconds = Setting(
        "takeover_seconds", .integer(default: 30, range: 1...600),
        "how long a service that takes over may need until it serves; then the other goes on")
    static let agentReturnSeconds = Setting(
        "agent_return_seconds", .integer(default: 5, range: 1...600),
        "how long a tunnel counts as connected whose agent has left the service before this one and has not come")

    /// All of them, in the order of the help.
    static let all: [Setting] = [
        https, http, logFormat,
        tunnelCreatesPerDay, secretRotationsPerDay, csrSigningsPerDay, keyRotationsPer15Minutes,
        apiKeyRotationsPerDay, keyScopes, keyRanges, apps,
        apiRequestsPerMinute, authFailuresPerMinute, trackedCallers, bodyBytesPerAddress, trustedProxies, metricsNetworks,
        reservedNamesAdd, reservedNamesRemove,
        keptEvents, eventDays, eventStreams, eventSilenceSeconds,
        webhooks, webhookSeconds, webhookHours, deliveryDays, keptDeliveries, deliveries, deliveriesPerOrganization,
        deliveriesPerWebhook, webhookHTTP, webhookPrivateAddresses,
        poolSize, queuedRequests, requestsPerSecond, sharingAgents, queueSeconds, intakeIdleSeconds, responseDeadlineSeconds,
        headerBytes,
        headerFields, bufferedBytes, webSocketBytes, webSocketBindSeconds, webSocketPingSeconds, webSocketCloseSeconds,
        tcpBindSeconds, tcpLingerSeconds, tcpStallSeconds, connectionsPerTunnel,
        connections, helloSeconds,
        handshakeSeconds, headSeconds, keepAliveSeconds, bodyGraceSeconds, bodyRate, writeStallSeconds, pingIntervalSeconds,
        pingTimeoutSeconds,
        authorityPassphraseFile, certificates, eventLoops, drainSeconds, drainIdleSeconds, webSocketNoticeSeconds,
        takeoverSeconds, agentReturnSeconds,
    ]
}
