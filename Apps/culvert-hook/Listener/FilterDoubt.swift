import TunnelWire

/// Why a filter could not decide on an event, for the log and the history.
struct FilterDoubt: Sendable, Hashable {
    let text: String

    /// Nil when the filter has decided.
    init?(_ verdict: FilterVerdict) {
        guard case .undecided(let pattern, let bound) = verdict else { return nil }
        switch bound {
        case .steps: text = "the search for “\(pattern.text)” needs more than the steps of “limits.matchSteps”"
        case .memory: text = "the search for “\(pattern.text)” needs too much memory"
        }
    }
}
