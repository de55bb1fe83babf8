internal import Synchronization
internal import TunnelDomain
internal import TunnelWire

/// Counts the calls of the API. What is not in the route table has one common place, so that strangers make no new ones.
final class APITally: Sendable {
    struct Place: Hashable {
        var method: String
        var route: String

        static let unmatched = Place(method: "other", route: "unmatched")
    }

    private struct State {
        var statuses: [Place: [Int: Int]] = [:]
        var times: [Place: DurationHistogram] = [:]
        var authFailureCount = 0
        var refusals: [String: Int] = [:]
    }

    private let state = Mutex(State())

    func answered(_ place: Place, _ answer: APIAnswer, after duration: Duration) {
        state.withLock { state in
            state.statuses[place, default: [:]][answer.status, default: 0] += 1
            state.times[place, default: DurationHistogram(.requests)].record(nanoseconds: duration.wholeNanoseconds)
            if answer.isAuthFailure { state.authFailureCount += 1 }
            if let limit = answer.exceededLimit { state.refusals[limit, default: 0] += 1 }
        }
    }

    func add(to page: inout MetricPage) {
        let state = state.withLock { $0 }
        func isBefore(_ one: Place, _ other: Place) -> Bool { (one.route, one.method) < (other.route, other.method) }
        for (place, counts) in state.statuses.sorted(by: { isBefore($0.key, $1.key) }) {
            for (status, count) in counts.sorted(by: { $0.key < $1.key }) {
                page.add(.apiRequests, place.method, place.route, "\(status)", count: count)
            }
        }
        for (place, times) in state.times.sorted(by: { isBefore($0.key, $1.key) }) {
            page.add(.apiSeconds, place.method, place.route, histogram: times)
        }
        page.add(.authFailures, count: state.authFailureCount)
        for limit in RateLimit.standard + [APIAnswer.otherLimit] {
            page.add(.rateLimited, limit, count: state.refusals[limit] ?? 0)
        }
    }
}

extension RouteTable.Match {
    /// Where its calls are counted.
    var place: APITally.Place {
        switch self {
        case .route(let route, _): APITally.Place(method: route.method, route: route.pattern.text)
        case .otherMethods, .nothing: .unmatched
        }
    }
}

extension RateLimit {
    /// The names of all limits, which an operator's numbers do not change.
    fileprivate static let standard = [
        tunnelCreates, secretRotations, csrSignings, keyRotationAttempts, apiRequests, authFailures,
    ].map(\.name)
}

extension APIAnswer {
    /// The name for what is limited otherwise, such as streams of events.
    static let otherLimit = "other"

    /// A credential was refused; 429 when there were too many of them.
    fileprivate var isAuthFailure: Bool { status == 401 || exceededLimit == RateLimit.authFailures.name }

    /// The limit that a 429 names first in `RateLimit-Policy`, which is `"name";q=…;w=…`.
    fileprivate var exceededLimit: String? {
        guard status == 429 else { return nil }
        let named = fields.first(named: "ratelimit-policy")?.split(separator: "\"").first.map(String.init)
        return named.flatMap { RateLimit.standard.contains($0) ? $0 : nil } ?? Self.otherLimit
    }
}
