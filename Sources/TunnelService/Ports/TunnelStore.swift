/// Where everything that must survive a restart is kept.
///
/// A body runs on the store's own thread, in one transaction, and must not wait for anything. What it wrote is there after
/// the call returns, even if the machine loses power that moment; when it throws, nothing was written.
package protocol TunnelStore: Sendable {
    /// Runs the body on one consistent picture of the store.
    ///
    /// Throws a `StoreError`, or what the body threw.
    func read<Answer: Sendable>(_ body: @Sendable (any StoreReading) throws -> Answer) async throws -> Answer

    /// Runs the body as the only writer, and returns after the commit has reached the disk.
    ///
    /// Throws a `StoreError`, or what the body threw after everything it wrote was rolled back.
    func write<Answer: Sendable>(_ body: @Sendable (any StoreWriting) throws -> Answer) async throws -> Answer
}
