import Synchronization

/// Counters and gauges for `GET /metrics`, in Prometheus' text format. Labels are routes and fixed words: never what a stranger
/// sent.
final class HookMetrics: Sendable {
    enum Family: String, CaseIterable, Sendable {
        case event = "culvert_hook_events_total"
        case run = "culvert_hook_run_attempts_total"

        var help: String {
            switch self {
            case .event: "Webhooks by what became of them."
            case .run: "Attempts of runs by how they ended."
            }
        }
    }

    private struct Key: Hashable {
        var family: Family
        var route: String
        var outcome: String
    }

    private struct State {
        var counts: [Key: Int] = [:]
        var gauges: [(String, String, Int)] = []
    }

    private let state = Mutex(State())

    func count(_ family: Family, route: String, _ outcome: String) {
        state.withLock { $0.counts[Key(family: family, route: route, outcome: outcome), default: 0] += 1 }
    }

    func setBacklog(waiting: Int, running: Int, open: Int, bytes: Int) {
        state.withLock {
            $0.gauges = [
                ("culvert_hook_runs_waiting", "Runs that wait.", waiting),
                ("culvert_hook_runs_running", "Runs that are under way.", running),
                ("culvert_hook_backlog_runs", "Runs that are not done, the dead letter included.", open),
                ("culvert_hook_backlog_bytes", "Bytes of bodies that are not done.", bytes),
            ]
        }
    }

    func text(commitCount: Int) -> String {
        let (counts, gauges) = state.withLock { ($0.counts, $0.gauges) }
        var lines: [String] = []
        for family in Family.allCases {
            lines += ["# HELP \(family.rawValue) \(family.help)", "# TYPE \(family.rawValue) counter"]
            for (key, count) in counts.filter({ $0.key.family == family }).sorted(by: { "\($0.key)" < "\($1.key)" }) {
                lines.append("\(family.rawValue){route=\"\(key.route)\",outcome=\"\(key.outcome)\"} \(count)")
            }
        }
        for (name, help, value) in gauges {
            lines += ["# HELP \(name) \(help)", "# TYPE \(name) gauge", "\(name) \(value)"]
        }
        let commits = "culvert_hook_commits_total"
        lines += [
            "# HELP \(commits) Commits of the inbox that reached the disk.", "# TYPE \(commits) counter",
            "\(commits) \(commitCount)",
        ]
        return lines.joined(separator: "\n") + "\n"
    }
}
