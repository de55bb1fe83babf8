/// Makes up names that can be told over the telephone: `bado-kumile-tiro`.
package enum PronounceableName {
    private static let consonants = Array("bdgklmnprstvz")
    private static let vowels = Array("aeiou")
    private static let syllableCounts = [2, 3, 2]

    /// A new name; there are about 4 * 10^12 of them, so that one cannot be found by trying.
    package static func make(using random: inout some RandomNumberGenerator) -> String {
        syllableCounts.map { word(syllableCount: $0, using: &random) }.joined(separator: "-")
    }

    private static func word(syllableCount: Int, using random: inout some RandomNumberGenerator) -> String {
        var word = ""
        for _ in 0..<syllableCount {
            word.append(consonants[Int.random(in: consonants.indices, using: &random)])
            word.append(vowels[Int.random(in: vowels.indices, using: &random)])
        }
        return word
    }
}
