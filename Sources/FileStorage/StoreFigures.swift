package import TunnelDomain

/// What the store has done since it was opened.
package struct StoreFigures: Sendable, Hashable {
    /// Commits that reached the disk, and those that did not.
    package let commitCount: Int
    package let failedCommitCount: Int
    /// How long the disk took for those that reached it.
    package let commitTimes: DurationHistogram
}
