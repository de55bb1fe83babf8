/// Finds whole lines in bytes that arrive in pieces, and never looks at a byte twice.
struct LineReader: Sendable {
    /// How much of the unfinished line was searched already.
    private var searchedByteCount = 0

    /// The length of the first line without its CR LF, or nil as long as its end is missing.
    mutating func lineByteCount(in input: Span<UInt8>, from offset: Int) throws(HTTP1Error) -> Int? {
        guard let lineFeed = input.firstIndex(of: 0x0A, from: offset + searchedByteCount) else {
            searchedByteCount = input.count - offset
            return nil
        }
        searchedByteCount = 0
        guard lineFeed > offset, input[lineFeed - 1] == 0x0D else { throw .bareLineFeed }
        return lineFeed - 1 - offset
    }
}
