package import TunnelDomain

/// What time it is, as people count it; it may jump when the machine's clock is set.
package protocol WallClock: Sendable {
    var now: Timestamp { get }
}
