/// Makes a failing case smaller as long as that is possible: shorter, then with smaller numbers.
struct Shrinker {
    struct Failure {
        var choices: [UInt64]
        var error: String
        var notes: [String]
    }

    /// How often the property is tried before the smallest case so far has to do.
    static let attemptCountMax = 4000

    private let failure: ([UInt64]) -> Failure?
    private var smallest: [UInt64]
    private var found: Failure?
    private var attemptCount = 0

    init(choices: [UInt64], failure: @escaping ([UInt64]) -> Failure?) {
        smallest = choices
        self.failure = failure
    }

    /// The smallest failing case that was found, or nil when the case does not even fail when it is repeated.
    mutating func smallestFailure() -> Failure? {
        guard attempt(smallest) else { return nil }
        var isSmaller = true
        while isSmaller && attemptCount < Self.attemptCountMax {
            let before = smallest
            leaveOutRuns()
            lowerNumbers()
            isSmaller = smallest != before
        }
        return found
    }

    private mutating func leaveOutRuns() {
        var length = 32
        while length > 0 {
            var start = smallest.count - length
            while start >= 0, attemptCount < Self.attemptCountMax {
                var candidate = smallest
                candidate.removeSubrange(start..<min(start + length, candidate.count))
                attempt(candidate)
                start = min(start - 1, smallest.count - length)
            }
            length /= 2
        }
    }

    private mutating func lowerNumbers() {
        var position = 0
        while position < smallest.count, attemptCount < Self.attemptCountMax {
            lowerNumber(at: position)
            position += 1
        }
    }

    /// Finds the smallest number at a place that still fails, as if smaller numbers never failed where larger do not.
    private mutating func lowerNumber(at position: Int) {
        var (low, high) = (UInt64(0), smallest[position])
        while low < high, position < smallest.count {
            let middle = low + (high - low) / 2
            var candidate = smallest
            candidate[position] = middle
            if attempt(candidate) { high = middle } else { low = middle + 1 }
        }
    }

    /// Tries a candidate, and takes it when it fails too and is smaller than what there was.
    @discardableResult
    private mutating func attempt(_ candidate: [UInt64]) -> Bool {
        attemptCount += 1
        guard let failure = failure(candidate) else { return false }
        // A replay may draw fewer numbers than it was given: what it drew is the case.
        let isSmaller =
            failure.choices.count < smallest.count
            || (failure.choices.count == smallest.count && !smallest.lexicographicallyPrecedes(failure.choices))
        guard isSmaller || found == nil else { return false }
        smallest = failure.choices
        found = failure
        return true
    }
}
