/// One import line: which module, and where it stands.
struct Import: Hashable {
    let module: String
    let line: Int
}

extension SourceFile {
    /// The imports of this file, in order, whatever attribute or access word precedes them.
    var imports: [Import] {
        lines.enumerated().compactMap { index, line in
            Import.module(named: line).map { Import(module: $0, line: index + 1) }
        }
    }
}

extension Import {
    private static let accessWords: Set<Substring> = ["public", "package", "internal", "private", "fileprivate"]
    private static let kindWords: Set<Substring> = ["struct", "class", "enum", "protocol", "func", "var", "let", "typealias"]

    /// `@testable package import struct A.B // why` names `A`; any other line names nothing.
    static func module(named line: Substring) -> String? {
        var words = line.split(whereSeparator: { $0 == " " || $0 == "\t" })[...]
        while let word = words.first, word.hasPrefix("@") || accessWords.contains(word) { words.removeFirst() }
        guard words.popFirst() == "import" else { return nil }
        if let word = words.first, kindWords.contains(word) { words.removeFirst() }
        return words.first.map { String($0.prefix { $0 != "." && $0 != ";" }) }
    }
}
