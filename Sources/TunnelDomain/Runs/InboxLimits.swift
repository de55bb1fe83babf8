/// How much an inbox holds of what is not done yet; more is refused while the sender can still be told.
public struct InboxLimits: Hashable, Sendable {
    /// Events whose runs have not all ended.
    public var pendingEventsMax: Int
    /// Bytes of the bodies of those events.
    public var pendingByteCountMax: Int
    /// What a sender is asked to wait when there is no room, in seconds.
    public var retryAfterSeconds: Int

    /// 100,000 events and 1 GiB; come back after 30 seconds.
    public init(
        pendingEventsMax: Int = 100_000, pendingByteCountMax: Int = 1 << 30, retryAfterSeconds: Int = 30
    ) {
        self.pendingEventsMax = pendingEventsMax
        self.pendingByteCountMax = pendingByteCountMax
        self.retryAfterSeconds = retryAfterSeconds
    }

    /// Whether there is room for one more event of so many bytes.
    public func hasRoom(forByteCount byteCount: Int, pendingEvents: Int, pendingByteCount: Int) -> Bool {
        pendingEvents < pendingEventsMax && pendingByteCount + byteCount <= pendingByteCountMax
    }
}
