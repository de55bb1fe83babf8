/// One random case of a property: a property draws all its inputs from it and checks its claims with it.
///
/// Every draw is a number from 0 up, where smaller means simpler, and the numbers are remembered. A failing case is made
/// smaller by leaving numbers out and lowering others and running the property again, so no value needs a shrinker of its own.
package struct Sample {
    private enum Source {
        case random(SeededGenerator)
        /// Numbers to repeat; when they run out, everything is 0.
        case replay([UInt64])
    }

    private var source: Source
    /// The numbers that were drawn.
    private(set) var choices: [UInt64] = []
    /// What the property said about its inputs.
    package private(set) var notes: [String] = []

    init(seed: UInt64) { source = .random(SeededGenerator(seed: seed)) }
    init(replaying choices: [UInt64]) { source = .replay(choices) }

    /// Draws a number from 0 to a bound, both included.
    package mutating func draw(upTo bound: UInt64) -> UInt64 {
        let choice: UInt64
        switch source {
        case .random(var generator):
            choice = bound == .max ? generator.next() : generator.next(upperBound: bound + 1)
            source = .random(generator)
        case .replay(let earlier):
            choice = choices.count < earlier.count ? min(earlier[choices.count], bound) : 0
        }
        choices.append(choice)
        return choice
    }

    /// Says something about the inputs; a failure shows it for the smallest failing case.
    package mutating func note(_ text: @autoclosure () -> String) {
        notes.append(text())
    }
}

// MARK: - Drawing values

extension Sample {
    /// Draws from a range; its lower bound counts as the simplest.
    package mutating func int(in range: ClosedRange<Int>) -> Int {
        range.lowerBound &+ Int(truncatingIfNeeded: draw(upTo: UInt64(bitPattern: Int64(range.upperBound &- range.lowerBound))))
    }

    package mutating func int64(in range: ClosedRange<Int64>) -> Int64 {
        range.lowerBound &+ Int64(bitPattern: draw(upTo: UInt64(bitPattern: range.upperBound &- range.lowerBound)))
    }

    /// Draws a truth that is rather false, once in so many times.
    package mutating func chance(oneIn count: UInt64) -> Bool {
        // Falsehood is the simpler outcome, so it has to be the smaller number.
        draw(upTo: count - 1) == count - 1
    }

    package mutating func bool() -> Bool { chance(oneIn: 2) }

    /// Draws one of several values; the first counts as the simplest.
    package mutating func element<Value>(of values: [Value]) -> Value { values[int(in: 0...values.count - 1)] }

    /// Draws a value or nothing.
    package mutating func optional<Value>(_ value: (inout Sample) throws -> Value) rethrows -> Value? {
        bool() ? try value(&self) : nil
    }

    /// Draws a list; how long it is on average is half of its bound.
    package mutating func list<Value>(upTo countMax: Int, _ value: (inout Sample) throws -> Value) rethrows -> [Value] {
        // The length is drawn as a flag before each element, so that leaving out a run of numbers leaves out an element.
        let averageCount = UInt64(max(1, countMax / 2))
        var list: [Value] = []
        while list.count < countMax, draw(upTo: averageCount) > 0 { list.append(try value(&self)) }
        return list
    }

    package mutating func bytes(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in UInt8(draw(upTo: 255)) }
    }

    /// Draws a text of the given characters; the first of them counts as the simplest.
    package mutating func text(of alphabet: String, count: ClosedRange<Int>) -> String {
        let characters = Array(alphabet.unicodeScalars)
        var text = String.UnicodeScalarView()
        for _ in 0..<int(in: count) { text.append(element(of: characters)) }
        return String(text)
    }
}

// MARK: - Checking

extension Sample {
    /// Fails the case unless the claim holds.
    package func check(_ claim: Bool, _ explanation: @autoclosure () -> String, line: UInt = #line) throws {
        guard claim else { throw BrokenClaim(explanation: explanation(), line: line) }
    }

    /// Fails the case unless both values are equal.
    package func check<Value: Equatable>(
        _ actual: Value, is expected: Value, _ what: @autoclosure () -> String = "the value", line: UInt = #line
    ) throws {
        guard actual == expected else {
            throw BrokenClaim(explanation: "\(what()) is \(actual), it should be \(expected)", line: line)
        }
    }
}

/// A claim that a case disproves.
package struct BrokenClaim: Error, CustomStringConvertible {
    package let explanation: String
    package let line: UInt
    package var description: String { "\(explanation) (checked in line \(line))" }
}
