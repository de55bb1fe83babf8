extension Metric {
    // Third parties.
    package static let requests = Metric(
        "culvert_requests_total", .counter, ["class"],
        "Third parties' requests that were answered, by the class of their status; `1xx` is a WebSocket that opened")
    package static let refusals = Metric(
        "culvert_refusals_total", .counter, ["reason"],
        "Those of them that the service answered in the tunnel's stead, by `inkbox-reason`")
    package static let abandonedRequests = Metric(
        "culvert_requests_abandoned_total", .counter, [], "Third parties that went away before their answer was whole")
    package static let brokenReplies = Metric(
        "culvert_replies_broken_total", .counter, [], "Answers that broke off because the agent's reply did")
    package static let requestSeconds = Metric(
        "culvert_request_seconds", .histogram, [],
        "From the head of a third party's request to the end of its answer, WebSockets not counted")
    package static let firstByteSeconds = Metric(
        "culvert_first_byte_seconds", .histogram, [], "From the head of a third party's request to the head of its answer")
    package static let bodyBytes = Metric(
        "culvert_body_bytes_total", .counter, ["direction"],
        "Bodies of third parties' requests (`in`) and of the answers to them (`out`), WebSockets not counted")
    package static let queuedRequests = Metric(
        "culvert_queued_requests", .gauge, [], "Requests that wait for an intake")
    package static let webSockets = Metric("culvert_websockets", .gauge, [], "Open WebSockets of third parties")
    package static let webSocketsOpened = Metric(
        "culvert_websockets_opened_total", .counter, [], "WebSockets of third parties that opened")

    // Connections and agents.
    package static let connections = Metric(
        "culvert_connections", .gauge, ["kind"],
        "Open HTTP connections: `third_party`, `agent`, `api`, or `undecided` before the first request")
    package static let socketBytes = Metric(
        "culvert_socket_bytes_total", .counter, ["direction"],
        "Bytes received (`in`) and sent (`out`) on all sockets, with TLS and framing")
    package static let agents = Metric("culvert_agents", .gauge, [], "Tunnels with an agent connected")
    package static let parkedIntakes = Metric(
        "culvert_parked_intakes", .gauge, [], "Intakes that agents hold open for the next requests")
    package static let hellos = Metric(
        "culvert_hellos_total", .counter, ["outcome"], "Hellos of agents, by what they were answered")
    package static let superseded = Metric(
        "culvert_agents_superseded_total", .counter, [], "Agents that another agent of the same tunnel took over from")
    package static let tunnels = Metric(
        "culvert_tunnels", .gauge, ["status"], "Tunnels that hold their name, by status")
    package static let certificates = Metric(
        "culvert_certificates_signed_total", .counter, ["for"],
        "Certificates that the authority has signed: for an agent's request (`csr`) or a host of the zone (`host`)")

    // The REST API.
    package static let apiRequests = Metric(
        "culvert_api_requests_total", .counter, ["method", "route", "status"],
        "Requests to the API, by route as the API's description writes it; `unmatched` for all others")
    package static let apiSeconds = Metric(
        "culvert_api_request_seconds", .histogram, ["method", "route"], "From a call of the API to its answer")
    package static let authFailures = Metric(
        "culvert_api_auth_failures_total", .counter, [], "Calls of the API whose credential did not count")
    package static let rateLimited = Metric(
        "culvert_api_rate_limited_total", .counter, ["limit"],
        "Calls of the API beyond a limit, by the name in `RateLimit-Policy`")
    package static let eventStreams = Metric("culvert_event_streams", .gauge, [], "Open streams of events")

    // What is behind it.
    package static let commits = Metric(
        "culvert_store_commits_total", .counter, ["outcome"], "Commits of the store; changes that wait together share one")
    package static let commitSeconds = Metric(
        "culvert_store_commit_seconds", .histogram, [], "How long a commit waits for the disk")
    package static let deliveries = Metric(
        "culvert_webhook_attempts_total", .counter, ["outcome"],
        "Attempts to deliver to a webhook: `delivered`, `retried` later, or `exhausted`, which was the last")
    package static let pendingDeliveries = Metric(
        "culvert_webhook_pending_deliveries", .gauge, [],
        "Deliveries that wait for their next attempt; 100000 stands for as many or more")

    // The process; these names are the same for every program (Prometheus, writing client libraries).
    package static let cpuSeconds = Metric("process_cpu_seconds_total", .counter, [], "Processor time that was used")
    package static let residentBytes = Metric("process_resident_memory_bytes", .gauge, [], "Memory in use")
    package static let openDescriptors = Metric("process_open_fds", .gauge, [], "Open file descriptors")
    package static let descriptorsMax = Metric("process_max_fds", .gauge, [], "The most file descriptors")
    package static let startSeconds = Metric(
        "process_start_time_seconds", .gauge, [], "When the service started, in Unix seconds")
    package static let build = Metric("culvert_build_info", .gauge, ["version"], "Always 1; the version is in the label")

    /// All of them, in the order of the page.
    package static let all: [Metric] = [
        requests, refusals, abandonedRequests, brokenReplies, requestSeconds, firstByteSeconds, bodyBytes, queuedRequests,
        webSockets, webSocketsOpened,
        connections, socketBytes, agents, parkedIntakes, hellos, superseded, tunnels, certificates,
        apiRequests, apiSeconds, authFailures, rateLimited, eventStreams,
        commits, commitSeconds, deliveries, pendingDeliveries,
        cpuSeconds, residentBytes, openDescriptors, descriptorsMax, startSeconds, build,
    ]
}
