/// How much of a peer's input is taken at once.
package struct JSONRPCLimits: Sendable, Hashable {
    /// Bytes of one message: of a line without its end, or of a body.
    package var messageByteCountMax = 8 * 1024 * 1024
    /// Bytes of the header lines before a body, with the empty line at their end.
    package var headerByteCountMax = 4 * 1024
    /// Objects and arrays inside one another.
    package var depthMax = JSONValue.depthMax
    /// Messages in one batch.
    package var batchCountMax = 10_000

    package init() {}
}
