internal import TunnelWire

/// What means something in other dialects of regular expressions, and something else to PCRE2 without a word. It is refused:
/// a filter must not change its meaning silently.
enum ForeignSyntax {
    static func flaw(in pattern: String) -> PatternFlaw? {
        var reader = Reader(scalars: Array(pattern.unicodeScalars))
        return reader.flaw()
    }

    private struct Reader {
        let scalars: [Unicode.Scalar]
        var place = 0
        /// Where the class began that is being read.
        var classStart: Int?

        mutating func flaw() -> PatternFlaw? {
            while place < scalars.count {
                if skipEscape() { continue }
                if let flaw = classStart == nil ? flawOutside() : flawInside() { return flaw }
                place += 1
            }
            return nil
        }

        /// Whether a backslash stands here; what it takes its meaning from is passed over, and so is `\Q…\E`.
        private mutating func skipEscape() -> Bool {
            guard scalars[place] == "\\" else { return false }
            guard stands("\\Q") else {
                place += 2
                return true
            }
            while place < scalars.count, !stands("\\E") { place += 1 }
            place += 2
            return true
        }

        private mutating func flawOutside() -> PatternFlaw? {
            if scalars[place] == "[" {
                classStart = place
                // A bracket at the very beginning of a class is one of its members.
                if stands("[^") { place += 1 }
                if place + 1 < scalars.count, scalars[place + 1] == "]" { place += 1 }
            } else if stands("{,"), isRepetition(from: place + 2) {
                return PatternFlaw("“{,” begins no repetition here: write {0,", at: place)
            }
            return nil
        }

        private mutating func flawInside() -> PatternFlaw? {
            if scalars[place] == "]" {
                classStart = nil
            } else if stands("[:") {
                // [:alpha:] is a member; PCRE2 judges its name.
                while place < scalars.count, !stands(":]") { place += 1 }
                place += 1
            } else if scalars[place] == "[" {
                return PatternFlaw("“[” stands in a class, and there are no classes in classes: write \\[", at: place)
            } else if let word = ["&&", "--", "~~"].first(where: stands) {
                let written = word.map { "\\\($0)" }.joined()
                return PatternFlaw("“\(word)” of two classes is not known here: as members write \(written)", at: place)
            }
            return nil
        }

        private func stands(_ word: String) -> Bool { scalars[place...].starts(with: word.unicodeScalars) }

        private func isRepetition(from start: Int) -> Bool {
            let rest = scalars[min(start, scalars.count)...]
            let digits = rest.prefix { ("0"..."9").contains($0) }
            return !digits.isEmpty && rest.dropFirst(digits.count).first == "}"
        }
    }
}
