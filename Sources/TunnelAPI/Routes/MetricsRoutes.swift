internal import HTTPTransport
internal import TunnelService
internal import TunnelWire

/// `GET /metrics` (control plane, section 8).
struct MetricsRoutes: Sendable {
    let source: any MetricsSource
    let access: MetricsAccess
    let tally: APITally
    let feed: EventFeed

    var routes: [Route] {
        [
            Route(
                method: "GET", pattern: RoutePattern("/metrics"), access: .everyone, body: .unused,
                handler: .operators(metrics), isMetered: false)
        ]
    }

    @Sendable private func metrics(_ request: BufferedRequest) async throws -> APIAnswer {
        guard access.allows(request.peer.address, request.head.fields) else {
            throw Problem.metricsForbidden(to: request.peer.address)
        }
        var page = MetricPage()
        await source.add(to: &page)
        tally.add(to: &page)
        page.add(.eventStreams, count: feed.listenerCount)
        var answer = APIAnswer(status: 200, body: Array(page.text.utf8))
        answer.fields.append("content-type", MetricPage.contentType)
        return answer
    }
}

extension Problem {
    fileprivate static func metricsForbidden(to address: String) -> Problem {
        Problem(
            403, "metrics-forbidden", title: "Metrics are for operators",
            detail: "Metrics are given to the service's own machine, and to networks that its operator names, when they ask "
                + "without a proxy. To let \(address) read them, add it to the setting metrics_networks.")
    }
}
