internal import TunnelProfile

/// A list of words separated by commas, as options take it.
enum WordList {
    /// The words. One that is not known is refused only when a known one is near: a server may know more than this program.
    static func read(_ text: String, of option: String, _ kind: String, known: [String]) throws(Complaint) -> [String] {
        var words: [String] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let word = part.filter { !$0.isWhitespace }
            guard !word.isEmpty else {
                throw Complaint("\(option) has an empty word", advice: "Separate words by one comma.", exitCode: .usage)
            }
            if !known.contains(word),
                let near = known.min(by: { EditDistance.between($0, word) < EditDistance.between($1, word) }),
                EditDistance.between(near, word) <= 2
            {
                throw Complaint(
                    "there is no \(kind) \"\(Printable.text(word))\"; did you mean \(near)?",
                    advice: "There are: \(known.joined(separator: ", ")).", exitCode: .usage)
            }
            if !words.contains(word) { words.append(word) }
        }
        return words
    }
}
