internal import TunnelDomain

/// How much of the past is kept for those who resume, and how many may listen.
package struct EventLimits: Sendable, Hashable {
    /// Events of one organization in the log; the oldest are forgotten first.
    package var keptCountMax = 100_000
    /// An event older than this is forgotten.
    package var keptFor: Duration = .days(7)
    /// Streams of one organization at once.
    package var streamsPerOrganizationMax = 20
    /// A stream that has been silent for so long carries a comment, and its credential is checked again.
    package var silenceMax: Duration = .seconds(15)

    /// Events read from the log at once; with the largest event it bounds what a stream holds in memory.
    package static let batchCountMax = 100

    package init() {}
}
