import TestSupport
import Testing
import TunnelDomain

struct CredentialRotationTests {
    private static let start = Timestamp(secondsSinceEpoch: 1_776_774_600)

    @Test func `the old secret is refused from the moment of the rotation`() {
        let rotated = CredentialRotation(current: [1]).rotated(to: [2], at: Self.start)
        #expect(rotated.answer(to: [2], at: Self.start) == .current)
        #expect(rotated.answer(to: [1], at: Self.start) == .refused)
        #expect(rotated.previous == nil)
    }

    @Test func `an overlap ends when it says`() {
        let rotated = CredentialRotation(current: [1]).rotated(to: [2], at: Self.start, overlap: .seconds(60))
        let end = Self.start + .seconds(60)
        #expect(rotated.answer(to: [1], at: end - .microseconds(1)) == .previous(acceptedUntil: end))
        #expect(rotated.answer(to: [1], at: end) == .refused)
        #expect(rotated.answer(to: [2], at: end) == .current)
    }

    @Test func `a second rotation ends the first overlap`() {
        let twice = CredentialRotation(current: [1])
            .rotated(to: [2], at: Self.start, overlap: .seconds(60))
            .rotated(to: [3], at: Self.start + .seconds(1), overlap: .seconds(60))
        #expect(twice.answer(to: [1], at: Self.start + .seconds(2)) == .refused)
        #expect(twice.answer(to: [2], at: Self.start + .seconds(2)) == .previous(acceptedUntil: Self.start + .seconds(61)))
    }

    @Test func `whatever the rotations, only the newest and an overlapping one are accepted`() throws {
        try checkProperty { sample in
            var credential = CredentialRotation(current: [0])
            var history: [(hash: UInt8, until: Timestamp?)] = [(0, nil)]
            var now = Self.start
            for number in 1...UInt8(sample.int(in: 1...10)) {
                now = now + .seconds(sample.int64(in: 0...30))
                let overlap = Duration.seconds(sample.bool() ? sample.int64(in: 0...60) : 0)
                credential = credential.rotated(to: [number], at: now, overlap: overlap)
                history[history.count - 1].until = now + overlap
                history.append((number, nil))
                let later = now + .seconds(sample.int64(in: 0...70))
                sample.note("\(number) at \(now), overlap \(overlap), asked at \(later)")
                for (age, entry) in history.reversed().enumerated() {
                    let isAccepted = age == 0 || (age == 1 && later < entry.until ?? later)
                    try sample.check(
                        credential.answer(to: [entry.hash], at: later) != .refused, is: isAccepted,
                        "whether \(entry) is accepted")
                }
            }
        }
    }
}
