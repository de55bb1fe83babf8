import Foundation

/// Rules about the text of a file, each with the advice it gives.
enum HouseRules {
    static let lineCountMax = 600
    static let columnCountMax = 128
    static let appMainLineCountMax = 80

    /// Constructs that need their reason beside them: on the line itself or in the comment right above.
    static let needReasons: [(construct: String, advice: String)] = [
        ("try!", "use a typed throw, or say beside it why this can never fail"),
        ("as!", "use `as?` and handle nil, or say beside it why the cast holds"),
        (
            "@unchecked Sendable",
            "let the compiler check it (isolation, Mutex, a value type), or say beside it what keeps it safe"
        ),
        ("nonisolated(unsafe)", "isolate the value, or say beside it what keeps it safe"),
    ]

    /// Words that promise work instead of doing it.
    static let promises = ["TODO", "FIXME", "XXX:", "not implemented", "not yet implemented"]

    /// Type names that say nothing.
    static let emptyNouns = ["Manager", "Helper", "Util", "Utils", "Utility"]
}

extension HouseRules {
    static func unexplained(in file: SourceFile) -> [Finding] {
        let lines = file.lines
        return lines.indices.flatMap { index in
            needReasons.compactMap { rule in
                guard Code.part(of: lines[index]).containsConstruct(rule.construct) else { return nil }
                guard !hasReason(at: index, in: lines) else { return nil }
                return Finding(path: file.path, line: index + 1, advice: "`\(rule.construct)`: \(rule.advice)")
            }
        }
    }

    static func promises(in file: SourceFile) -> [Finding] {
        file.lines.enumerated().compactMap { index, line in
            guard let word = promises.first(where: { line.contains($0) }) else { return nil }
            return Finding(
                path: file.path, line: index + 1, advice: "\"\(word)\": do it now, or write an issue and say nothing here")
        }
    }

    static func oversize(in file: SourceFile) -> [Finding] {
        let lines = file.lines
        var found: [Finding] = []
        if lines.count - 1 > lineCountMax {
            found.append(
                Finding(
                    path: file.path, line: lines.count - 1,
                    advice: "\(lines.count - 1) lines: split it so that each file is one idea (at most \(lineCountMax))"))
        }
        if file.isApp, file.path.hasSuffix("/main.swift"), lines.count - 1 > appMainLineCountMax {
            found.append(
                Finding(
                    path: file.path, line: lines.count - 1,
                    advice: "an app reads its options, joins the parts and runs them: move the rest into a module"))
        }
        for (index, line) in lines.enumerated() where line.count > columnCountMax {
            found.append(
                Finding(
                    path: file.path, line: index + 1,
                    advice: "\(line.count) columns: break the line (at most \(columnCountMax))"))
        }
        return found
    }

    /// `public` outside the three products promises something to nobody.
    static func strayPublic(in file: SourceFile) -> [Finding] {
        guard file.isSource || file.isApp, let module = file.module, !Layers.products.contains(module) else { return [] }
        return file.lines.enumerated().compactMap { index, line in
            let code = Code.part(of: line)
            guard code.words.first == "public" || code.words.contains("public") && code.words.first?.hasPrefix("@") == true
            else { return nil }
            return Finding(
                path: file.path, line: index + 1, advice: "\(module) is no product: write `package` instead of `public`")
        }
    }

    static func emptyNames(in file: SourceFile) -> [Finding] {
        let kinds: Set<Substring> = ["struct", "class", "enum", "actor", "protocol", "typealias"]
        return file.lines.enumerated().compactMap { index, line in
            let words = Code.part(of: line).words
            guard let kind = words.firstIndex(where: kinds.contains), kind + 1 < words.count else { return nil }
            let name = words[kind + 1].prefix { $0.isLetter || $0.isNumber || $0 == "_" }
            guard let noun = emptyNouns.first(where: { name.hasSuffix($0) }) else { return nil }
            return Finding(
                path: file.path, line: index + 1, advice: "`\(name)`: name what it is or does instead of \"\(noun)\"")
        }
    }

    /// Declarations that an embedder sees and nobody explained.
    static func undocumentedPublic(in file: SourceFile) -> [Finding] {
        guard file.isSource, let module = file.module, Layers.products.contains(module) else { return [] }
        let lines = file.lines
        let kinds: Set<Substring> = ["struct", "class", "enum", "actor", "protocol", "func", "typealias", "init"]
        return lines.indices.compactMap { index in
            let words = Code.part(of: lines[index]).words
            guard words.first == "public", let kind = words.first(where: { kinds.contains($0.prefix { $0.isLetter }) }) else {
                return nil
            }
            guard kind.prefix(while: \.isLetter) != "func" || !isWitness(words), !hasDocComment(above: index, in: lines) else {
                return nil
            }
            return Finding(
                path: file.path, line: index + 1, advice: "say above it, with ///, what the caller gets: unit, errors, source")
        }
    }

    private static let witnessNames = ["==", "<", "hash", "encode"]

    private static func isWitness(_ words: [Substring]) -> Bool {
        guard let index = words.firstIndex(of: "func"), index + 1 < words.count else { return false }
        return witnessNames.contains { words[index + 1].hasPrefix($0) }
    }

    private static func hasDocComment(above index: Int, in lines: [Substring]) -> Bool {
        var above = index - 1
        while above >= 0, Code.trimmed(lines[above]).hasPrefix("@") { above -= 1 }
        return above >= 0 && Code.trimmed(lines[above]).hasPrefix("///")
    }

    /// One comment may stand above several lines in a row that need it.
    private static func hasReason(at index: Int, in lines: [Substring]) -> Bool {
        if Code.comment(of: lines[index]).count > 10 { return true }
        guard index > 0 else { return false }
        if Code.trimmed(lines[index - 1]).hasPrefix("//") { return true }
        let above = Code.part(of: lines[index - 1])
        return needReasons.contains { above.containsConstruct($0.construct) } && hasReason(at: index - 1, in: lines)
    }
}

/// The little of Swift's grammar that the rules need: where a comment begins.
enum Code {
    static func trimmed(_ line: Substring) -> Substring { line.drop { $0 == " " || $0 == "\t" } }

    /// The line without its `//` comment. A `//` inside a string literal with a colon before it (a URL) is no comment.
    static func part(of line: Substring) -> Substring {
        guard let start = commentStart(in: line) else { return line }
        return line[..<start]
    }

    static func comment(of line: Substring) -> Substring {
        guard let start = commentStart(in: line) else { return "" }
        return line[start...]
    }

    private static func commentStart(in line: Substring) -> Substring.Index? {
        var index = line.startIndex
        var previous: Character = " "
        while index < line.endIndex {
            let next = line.index(after: index)
            if line[index] == "/", next < line.endIndex, line[next] == "/", previous != ":" { return index }
            previous = line[index]
            index = next
        }
        return nil
    }
}

extension Substring {
    var words: [Substring] { split(whereSeparator: { $0 == " " || $0 == "\t" }) }

    /// Whether the construct stands here as itself, not as the tail of a longer word (`has!` is no `as!`).
    func containsConstruct(_ construct: String) -> Bool {
        ranges(of: construct).contains { range in
            guard range.lowerBound > startIndex else { return true }
            let before = self[index(before: range.lowerBound)]
            return !before.isLetter && !before.isNumber && before != "_" && before != "\"" && before != "`"
        }
    }
}
