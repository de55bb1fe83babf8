internal import CPCRE2
internal import TunnelWire

/// A pattern that PCRE2 has compiled; it is freed with its last holder.
final class PCRE2Engine: PatternEngine {
    /// Memory that a search may take for the places it can come back to.
    static let heapByteCountMax = 16 << 20

    // PCRE2 only reads a compiled pattern, so that threads may share it (pcre2api, “Multithreading”); it is freed once, here.
    nonisolated(unsafe) private let code: OpaquePointer

    init(owning code: OpaquePointer) { self.code = code }

    deinit { pcre2_code_free_8(code) }

    func search(_ text: String, stepCountMax: Int) -> (result: SearchResult, stepCount: Int) {
        guard let match = pcre2_match_data_create_8(1, nil), let context = pcre2_match_context_create_8(nil) else {
            return (.gaveUp(.memory), 0)
        }
        defer {
            pcre2_match_data_free_8(match)
            pcre2_match_context_free_8(context)
        }
        pcre2_set_heap_limit_8(context, UInt32(Self.heapByteCountMax >> 10))
        var steps = StepCount(max: stepCountMax)
        let bytes = Array(text.utf8)
        let code = withUnsafeMutablePointer(to: &steps) { steps in
            pcre2_set_callout_8(context, countStep, steps)
            return pcre2_match_8(self.code, bytes, bytes.count, 0, 0, match, context)
        }
        return (Self.result(code), steps.count)
    }

    private static func result(_ code: Int32) -> SearchResult {
        switch code {
        // 0 is found too: there was no room to tell where its groups are.
        case 0...: .found
        case PCRE2_ERROR_NOMATCH: .notFound
        case PCRE2_ERROR_CALLOUT, PCRE2_ERROR_MATCHLIMIT, PCRE2_ERROR_RECURSELOOP: .gaveUp(.steps)
        case PCRE2_ERROR_HEAPLIMIT, PCRE2_ERROR_NOMEMORY, PCRE2_ERROR_DEPTHLIMIT: .gaveUp(.memory)
        default: preconditionFailure("PCRE2 answers \(code) to a whole text and a pattern of its own")
        }
    }
}

/// How many steps a search has taken.
private struct StepCount {
    var max: Int
    var count = 0
}

/// PCRE2 calls this before it tries an item of the pattern; an error of ours ends the whole search.
private func countStep(_: UnsafeMutablePointer<pcre2_callout_block_8>?, _ steps: UnsafeMutableRawPointer?) -> Int32 {
    guard let steps = steps?.assumingMemoryBound(to: StepCount.self), steps.pointee.count < steps.pointee.max else {
        return PCRE2_ERROR_CALLOUT
    }
    steps.pointee.count += 1
    return 0
}
