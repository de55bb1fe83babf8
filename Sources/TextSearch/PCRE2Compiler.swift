internal import CPCRE2
package import TunnelWire

/// Compiles patterns with PCRE2: Unicode throughout, `^` and `$` at the ends of the text only, and nothing that would take the
/// search out of its bounds.
package struct PCRE2Compiler: PatternCompiler {
    /// Bytes of a pattern in UTF-8.
    package static let patternByteCountMax = 8_192
    /// Groups of a pattern that capture: each makes every step dearer.
    package static let capturingGroupsMax = 64

    package init() {}

    package func engine(for pattern: String) throws(PatternFlaw) -> any PatternEngine {
        guard pattern.utf8.count <= Self.patternByteCountMax else {
            throw PatternFlaw("the pattern is longer than the \(Self.patternByteCountMax) bytes that one may have", at: 0)
        }
        if let flaw = ForeignSyntax.flaw(in: pattern) { throw flaw }
        let code = try compile(pattern)
        var groupCount: UInt32 = 0
        pcre2_pattern_info_8(code, UInt32(PCRE2_INFO_CAPTURECOUNT), &groupCount)
        guard groupCount <= Self.capturingGroupsMax else {
            pcre2_code_free_8(code)
            let reason = "\(groupCount) groups capture, and a pattern may have \(Self.capturingGroupsMax): write (?:…) for (…)"
            throw PatternFlaw(reason, at: 0)
        }
        return PCRE2Engine(owning: code)
    }

    /// The automatic callouts are what counts the steps.
    private static let options = PCRE2_UTF | PCRE2_UCP | PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_BACKSLASH_C | PCRE2_AUTO_CALLOUT

    private func compile(_ pattern: String) throws(PatternFlaw) -> OpaquePointer {
        guard let context = pcre2_compile_context_create_8(nil) else { throw PatternFlaw("no memory is left for it", at: 0) }
        defer { pcre2_compile_context_free_8(context) }
        // The dot takes no end of line, whatever system the text comes from.
        pcre2_set_newline_8(context, UInt32(PCRE2_NEWLINE_ANY))
        let bytes = Array(pattern.utf8)
        var errorCode: Int32 = 0
        var byteOffset = 0
        guard
            let code = pcre2_compile_8(bytes, bytes.count, UInt32(Self.options), &errorCode, &byteOffset, context)
        else {
            let offset = String(decoding: bytes.prefix(byteOffset), as: UTF8.self).unicodeScalars.count
            throw PatternFlaw(Self.reason(errorCode, in: pattern, at: offset), at: offset)
        }
        return code
    }

    /// PCRE2's words, with the characters around the place: they name what is not taken.
    private static func reason(_ errorCode: Int32, in pattern: String, at offset: Int) -> String {
        var text = [UInt8](repeating: 0, count: 256)
        let count = pcre2_get_error_message_8(errorCode, &text, text.count)
        let words = String(decoding: text.prefix(Int(max(count, 0))), as: UTF8.self)
        let scalars = pattern.unicodeScalars
        let place = String(scalars.prefix(offset).suffix(12)) + String(scalars.dropFirst(offset).prefix(4))
        return "\(words), near “\(place)”"
    }
}
