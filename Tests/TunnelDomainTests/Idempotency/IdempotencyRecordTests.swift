import TestSupport
import Testing
import TunnelDomain

struct IdempotencyRecordTests {
    private static let start = Timestamp(secondsSinceEpoch: 1_776_774_600)

    private static func record() throws -> IdempotencyRecord {
        IdempotencyRecord(beginning: try IdempotencyKey(validating: "key"), requestFingerprint: [1, 2], at: start)
    }

    @Test func `a key has 1 to 255 characters`() throws {
        #expect(throws: IdempotencyKeyError.empty) { try IdempotencyKey(validating: "") }
        #expect(try IdempotencyKey(validating: String(repeating: "é", count: 255)).text.count == 255)
        #expect(throws: IdempotencyKeyError.tooLong(scalarCount: 256)) {
            try IdempotencyKey(validating: String(repeating: "x", count: 256))
        }
    }

    @Test func `the first answer is given again to the same request for a day`() throws {
        var record = try Self.record()
        #expect(record.decide(requestFingerprint: [1, 2], at: Self.start) == .inFlight)
        #expect(record.finish(status: 201, storedBody: [7]) == .keep)
        let lastMoment = Self.start + .hours(24) - .microseconds(1)
        #expect(record.decide(requestFingerprint: [1, 2], at: lastMoment) == .replay(status: 201, storedBody: [7]))
        #expect(record.decide(requestFingerprint: [1, 2], at: Self.start + .hours(24)) == .proceed)
    }

    @Test func `another request with the same key is a mismatch, even while the first runs`() throws {
        var record = try Self.record()
        #expect(record.decide(requestFingerprint: [1, 3], at: Self.start) == .mismatch)
        _ = record.finish(status: 200, storedBody: [])
        #expect(record.decide(requestFingerprint: [1, 2, 3], at: Self.start) == .mismatch)
        #expect(record.decide(requestFingerprint: [1, 3], at: Self.start + .hours(24)) == .proceed)
    }

    @Test func `a call that a crash left behind does not block its key for a day`() throws {
        let record = try Self.record()
        let end = Self.start + IdempotencyRecord.inFlightMax
        #expect(record.decide(requestFingerprint: [1, 2], at: end - .microseconds(1)) == .inFlight)
        #expect(record.decide(requestFingerprint: [1, 2], at: end) == .proceed)
    }

    @Test(arguments: [
        (200, true), (201, true), (400, true), (403, true), (404, true), (409, true), (422, true),
        (408, false), (425, false), (429, false), (500, false), (503, false), (507, false),
    ])
    func `only final outcomes are kept`(status: Int, isKept: Bool) throws {
        var record = try Self.record()
        let before = record
        #expect((record.finish(status: status, storedBody: [1]) == .keep) == isKept)
        #expect((record == before) == !isKept)
    }

    @Test func `work is done once for each key and request within a day`() throws {
        try checkProperty { sample in
            var record: IdempotencyRecord?
            var done: [(fingerprint: UInt8, at: Timestamp)] = []
            var now = Self.start
            for _ in 0..<sample.int(in: 1...30) {
                now = now + .seconds(sample.int64(in: 0...20_000))
                let fingerprint = UInt8(sample.int(in: 1...2))
                let key = try IdempotencyKey(validating: "key")
                let decision = record?.decide(requestFingerprint: [fingerprint], at: now) ?? .proceed
                sample.note("\(now) \(fingerprint) \(decision)")
                guard decision == .proceed else { continue }
                var fresh = IdempotencyRecord(beginning: key, requestFingerprint: [fingerprint], at: now)
                let status = sample.chance(oneIn: 3) ? 503 : 201
                if fresh.finish(status: status, storedBody: [fingerprint]) == .keep {
                    if let last = done.last { try sample.check(now - last.at >= .hours(24), "done twice within a day") }
                    done.append((fingerprint, now))
                    record = fresh
                } else {
                    record = nil
                }
            }
        }
    }
}
