internal import Foundation

/// Tries a property on many random cases, and throws the smallest failing one that it finds.
///
/// A property draws its inputs from the sample and throws when they disprove it. The failure tells a seed: with
/// `CULVERT_TEST_SEED=…` in the environment that very case runs first. `CULVERT_TEST_CASES=…` runs more cases.
///
/// - Parameter offset: how many seeds to leave out, for a property whose cases are spread over several tests.
package func checkProperty(
    cases caseCount: Int = 1000, from offset: UInt64 = 0, _ name: String = #function,
    _ property: @escaping (inout Sample) throws -> Void
) throws {
    let firstSeed = PropertySettings.seed &+ offset
    for offset in 0..<UInt64(max(caseCount, PropertySettings.caseCountMin)) {
        let seed = firstSeed &+ offset
        var sample = Sample(seed: seed)
        do {
            try property(&sample)
        } catch {
            throw smallestFailure(of: property, from: sample.choices, name: name, seed: seed, caseNumber: offset + 1)
        }
    }
}

private func smallestFailure(
    of property: @escaping (inout Sample) throws -> Void, from choices: [UInt64], name: String, seed: UInt64, caseNumber: UInt64
) -> FalsifiedProperty {
    var shrinker = Shrinker(choices: choices) { candidate in
        var sample = Sample(replaying: candidate)
        do {
            try property(&sample)
            return nil
        } catch {
            return Shrinker.Failure(choices: sample.choices, error: String(describing: error), notes: sample.notes)
        }
    }
    let failure = shrinker.smallestFailure()
    return FalsifiedProperty(
        name: name, seed: seed, caseNumber: caseNumber, error: failure?.error ?? "it failed only once: it is not repeatable",
        notes: failure?.notes ?? [])
}

/// What a test throws when a property does not hold.
package struct FalsifiedProperty: Error, CustomStringConvertible {
    package let name: String
    /// Runs the case again when `CULVERT_TEST_SEED` is set to it.
    package let seed: UInt64
    package let caseNumber: UInt64
    package let error: String
    package let notes: [String]

    package var description: String {
        """
        \(name) does not hold: \(error)
        \(notes.map { "    \($0)\n" }.joined())    found in case \(caseNumber); repeat it with CULVERT_TEST_SEED=\(seed)
        """
    }
}

private enum PropertySettings {
    /// The seed of the first case: given, or another one in every run.
    static let seed = number("CULVERT_TEST_SEED") ?? UInt64.random(in: 0...UInt64(UInt32.max))
    static let caseCountMin = Int(number("CULVERT_TEST_CASES") ?? 0)

    private static func number(_ name: String) -> UInt64? {
        ProcessInfo.processInfo.environment[name].flatMap { UInt64($0) }
    }
}
