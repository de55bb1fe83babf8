import TestSupport
import Testing

struct PropertyTests {
    @Test func `a property that holds passes`() throws {
        try checkProperty { sample in
            let number = sample.int(in: 3...9)
            try sample.check((3...9).contains(number), "\(number) is out of range")
        }
    }

    @Test func `a failure is shrunk to the smallest number that fails`() throws {
        let failure = try #require(throws: FalsifiedProperty.self) {
            try checkProperty { sample in
                let number = sample.int(in: 0...1_000_000)
                sample.note("number \(number)")
                try sample.check(number < 700, "too large")
            }
        }
        #expect(failure.notes == ["number 700"])
    }

    @Test func `a failure is shrunk to the shortest list that fails`() throws {
        let failure = try #require(throws: FalsifiedProperty.self) {
            try checkProperty { sample in
                let list = sample.list(upTo: 30) { $0.int(in: 0...100) }
                sample.note("\(list)")
                try sample.check(list.filter { $0 >= 60 }.count < 2, "two large numbers")
            }
        }
        #expect(failure.notes == ["[60, 60]"])
    }

    @Test func `a failure says how to repeat it`() throws {
        let failure = try #require(throws: FalsifiedProperty.self) {
            try checkProperty { sample in try sample.check(sample.int(in: 0...9) < 5, "too large") }
        }
        #expect(failure.description.contains("CULVERT_TEST_SEED=\(failure.seed)"))
    }

    @Test func `the same seed gives the same numbers`() {
        var (one, other) = (SeededGenerator(seed: 7), SeededGenerator(seed: 7))
        #expect((0..<100).map { _ in one.next() } == (0..<100).map { _ in other.next() })
    }
}
