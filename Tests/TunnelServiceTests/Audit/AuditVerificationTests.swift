import TestSupport
import Testing
import TunnelDomain
import TunnelService

struct AuditVerificationTests {
    private let hasher = MemoryHasher()
    private let sealer = MemorySealer()

    /// A trail of so many lines as the service writes it, and its sealed head.
    private func trail(_ count: Int) throws -> (lines: [AuditLine], head: [UInt8]) {
        var place = AuditPlace.start
        var lines: [AuditLine] = []
        for number in 0..<count {
            let entry = AuditEntry(
                id: UUIDValue(high: 1, low: UInt64(number)), occurredAt: Timestamp(secondsSinceEpoch: Int64(number)),
                action: .tunnelUpdate, organizationID: OrganizationID(randomBytes: [1]), actor: .system, resourceType: .tunnel,
                resourceID: "t", ip: "192.0.2.7", requestID: nil, detailsJSON: "{}")
            let hash = hasher.sha256(place.hash + entry.canonicalBytes)
            lines.append(
                AuditLine(
                    ChainedAuditEntry(
                        sequence: place.sequence + 1, entry: entry, previousHash: place.hash, hash: hash)))
            place = AuditPlace(sequence: place.sequence + 1, hash: hash)
        }
        return (lines, try AuditHead.seal(place, with: sealer))
    }

    private func findings(_ lines: [AuditLine], _ head: [UInt8]?, noted: [AuditPlace] = []) -> [AuditFinding] {
        var verification = AuditVerification(hasher: hasher, noted: noted)
        for line in lines { verification.take(line) }
        verification.finish(sealedHead: head, sealer: sealer)
        return verification.findings
    }

    @Test(arguments: [0, 1, 20]) func `a trail as it was written has no finding`(count: Int) throws {
        let (lines, head) = try trail(count)
        let noted = lines.map { AuditPlace(sequence: $0.sequence, hash: $0.hash) }
        #expect(findings(lines, count == 0 ? nil : head, noted: noted) == [])
    }

    /// One way to change each field of a line.
    static let edits: [(String, @Sendable (inout AuditLine) -> Void)] = [
        ("id", { $0.id += "0" }), ("time", { $0.occurredAt = $0.occurredAt + .microseconds(1) }),
        ("action", { $0.action = "tunnel.create" }), ("organization", { $0.organizationID = "org_2" }),
        ("kind", { $0.actorKind = "app" }), ("actor", { $0.actorID = "x" }), ("label", { $0.actorLabel = "" }),
        ("type", { $0.resourceType = "app" }), ("resource", { $0.resourceID = "" }), ("ip", { $0.ip = nil }),
        ("request", { $0.requestID = "" }), ("outcome", { $0.outcome = "refused" }), ("details", { $0.detailsJSON = "{} " }),
        ("hash", { $0.hash[31] ^= 1 }),
        // What belongs to one field cannot be moved into its neighbour.
        ("border", { ($0.actorID, $0.actorLabel) = ($0.actorID + "c", String($0.actorLabel.dropFirst())) }),
    ]

    @Test(arguments: edits.indices, [0, 5, 9])
    func `an edited line is found and named`(edit: Int, at index: Int) throws {
        var (lines, head) = try trail(10)
        let (name, change) = Self.edits[edit]
        change(&lines[index])
        let found = findings(lines, head)
        #expect(found.first == .edited(Int64(index + 1)), "\(name)")
        #expect(found.count == (name == "hash" ? 2 : 1), "\(name): \(found)")
    }

    @Test func `an edit that makes its hash anew breaks the link behind it`() throws {
        var (lines, head) = try trail(10)
        lines[4].actorLabel = "somebody else"
        lines[4].hash = hasher.sha256(lines[4].previousHash + lines[4].canonicalBytes)
        #expect(findings(lines, head) == [.unconnected(6)])
    }

    @Test func `a trail written anew to its end is found by its head, and by a place that was noted`() throws {
        var (lines, head) = try trail(10)
        let noted = AuditPlace(sequence: 7, hash: lines[6].hash)
        lines[4].actorLabel = "somebody else"
        for index in 4..<10 {
            lines[index].previousHash = lines[index - 1].hash
            lines[index].hash = hasher.sha256(lines[index].previousHash + lines[index].canonicalBytes)
        }
        #expect(findings(lines, head) == [.rewritten(10)])
        let forged = try AuditHead.seal(AuditPlace(sequence: 10, hash: lines[9].hash), with: sealer)
        #expect(findings(lines, forged) == [])
        #expect(findings(lines, forged, noted: [noted]) == [.rewritten(7)])
    }

    @Test func `missing lines are named, at the beginning, within and at the end`() throws {
        let (lines, head) = try trail(10)
        #expect(findings(Array(lines.dropFirst(2)), head) == [.missing(1...2)])
        #expect(findings(Array(lines[..<3] + lines[6...]), head) == [.missing(4...6)])
        #expect(findings(Array(lines.dropLast(3)), head) == [.cutOff(8...10)])
        #expect(findings([], head) == [.cutOff(1...10)])
        let noted = AuditPlace(sequence: 10, hash: lines[9].hash)
        #expect(findings(Array(lines.dropLast()), head, noted: [noted]) == [.noLongerThere(10), .cutOff(10...10)])
    }

    @Test func `lines that changed places, or were renumbered over a gap, are found`() throws {
        let (lines, head) = try trail(10)
        var swapped = lines
        (swapped[3], swapped[4]) = (swapped[4], swapped[3])
        (swapped[3].sequence, swapped[4].sequence) = (4, 5)
        #expect(findings(swapped, head) == [.unconnected(4), .unconnected(5), .unconnected(6)])
        var closed = lines
        closed.remove(at: 3)
        for index in 3..<9 { closed[index].sequence -= 1 }
        #expect(findings(closed, head) == [.unconnected(4), .cutOff(10...10)])
    }

    @Test func `a head that is missing, changed or older is found`() throws {
        let (lines, head) = try trail(10)
        #expect(findings(lines, nil) == [.headMissing])
        var changed = head
        changed[40] ^= 1
        #expect(findings(lines, changed) == [.headUnreadable])
        #expect(findings(lines, try trail(8).head) == [.added(9...10)])
    }

    @Test func `whatever is done to a trail is found`() throws {
        try checkProperty(cases: 300) { sample in
            let (written, head) = try trail(sample.int(in: 1...12))
            var lines = written
            for _ in 0...sample.int(in: 0...3) where !lines.isEmpty {
                let index = sample.int(in: 0...lines.count - 1)
                switch sample.int(in: 0...3) {
                case 0: Self.edits[sample.int(in: 0...Self.edits.count - 1)].1(&lines[index])
                case 1: lines.remove(at: index)
                case 2:
                    let other = sample.int(in: 0...lines.count - 1)
                    let sequences = (lines[index].sequence, lines[other].sequence)
                    lines.swapAt(index, other)
                    (lines[index].sequence, lines[other].sequence) = sequences
                default:
                    lines[index].hash = hasher.sha256(lines[index].previousHash + lines[index].canonicalBytes)
                }
            }
            sample.note("\(lines.map(\.sequence))")
            try sample.check(findings(lines, head).isEmpty, is: lines == written)
        }
    }

    @Test func `every finding is told in one sentence that names its line`() {
        let all: [AuditFinding] = [
            .edited(3), .missing(3...3), .missing(3...4), .unconnected(3), .cutOff(3...4), .added(3...4), .rewritten(3),
            .noLongerThere(3),
        ]
        for finding in all { #expect(finding.sentence.contains("3") && !finding.sentence.contains("\n")) }
        #expect(AuditFinding.missing(3...3).sentence == "line 3 is missing")
        #expect(AuditFinding.cutOff(3...4).sentence == "lines 3 to 4 are missing: the end was cut off")
    }
}
