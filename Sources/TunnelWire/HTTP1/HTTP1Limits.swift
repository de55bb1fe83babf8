/// What one HTTP/1 message may cost before its sender is refused.
package struct HTTP1Limits: Sendable, Hashable {
    /// The request or status line and all header fields, with their line ends.
    package var headByteCountMax = 64 * 1024
    /// Header fields of one message; the trailer section is counted by itself.
    package var fieldCountMax = 100
    package var methodByteCountMax = 32
    package var targetByteCountMax = 16 * 1024
    /// A chunk's size and extensions, without the line end.
    package var chunkLineByteCountMax = 256
    /// The trailer section, with its line ends.
    package var trailerByteCountMax = 8 * 1024

    /// 1xx heads before one final response.
    package var interimHeadCountMax = 16

    package init() {}
}
