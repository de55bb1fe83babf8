internal import TunnelDomain

/// Walks the trail from its first line, and says of every place where it is not what was written.
package struct AuditVerification {
    private let hasher: any SecretHasher
    /// The line before, as far as the walk has come.
    package private(set) var last = AuditPlace.start
    package private(set) var lineCount = 0
    package private(set) var findings: [AuditFinding] = []
    /// Places that somebody has noted down elsewhere, by sequence.
    private var noted: [Int64: [UInt8]]

    /// - Parameter noted: places that were printed by an earlier verification.
    package init(hasher: any SecretHasher, noted: [AuditPlace] = []) {
        self.hasher = hasher
        self.noted = Dictionary(noted.map { ($0.sequence, $0.hash) }, uniquingKeysWith: { first, _ in first })
    }

    /// Takes the next line, in the order of sequences.
    package mutating func take(_ line: AuditLine) {
        if line.sequence != last.sequence + 1 {
            findings.append(.missing(last.sequence + 1...max(last.sequence + 1, line.sequence - 1)))
        } else if line.previousHash != last.hash {
            findings.append(.unconnected(line.sequence))
        }
        if hasher.sha256(line.previousHash + line.canonicalBytes) != line.hash { findings.append(.edited(line.sequence)) }
        if let hash = noted.removeValue(forKey: line.sequence), hash != line.hash { findings.append(.rewritten(line.sequence)) }
        last = AuditPlace(sequence: line.sequence, hash: line.hash)
        lineCount += 1
    }

    /// Ends the walk with what was kept of the head: sealed, or nil when nothing was.
    package mutating func finish(sealedHead: [UInt8]?, sealer: any Sealer) {
        for sequence in noted.keys.sorted() { findings.append(.noLongerThere(sequence)) }
        guard let sealedHead else {
            if lineCount > 0 { findings.append(.headMissing) }
            return
        }
        guard let head = AuditHead.open(sealedHead, with: sealer) else { return findings.append(.headUnreadable) }
        if last.sequence < head.sequence {
            findings.append(.cutOff(last.sequence + 1...head.sequence))
        } else if last.sequence > head.sequence {
            findings.append(.added(head.sequence + 1...last.sequence))
        } else if last.hash != head.hash {
            findings.append(.rewritten(last.sequence))
        }
    }
}

/// Something in the trail that the service has not written there.
package enum AuditFinding: Sendable, Hashable {
    /// A field of this line, or its hash, is another one than was written.
    case edited(Int64)
    /// Lines between two others are gone.
    case missing(ClosedRange<Int64>)
    /// This line is not the one that was written behind the line before it.
    case unconnected(Int64)
    /// Lines at the end are gone.
    case cutOff(ClosedRange<Int64>)
    /// Lines at the end were not written by the service.
    case added(ClosedRange<Int64>)
    /// This line is consistent, but another one than was written.
    case rewritten(Int64)
    /// A line that was noted elsewhere is gone.
    case noLongerThere(Int64)
    case headMissing
    /// The head was changed, or sealed with another key.
    case headUnreadable

    /// What is wrong where, for people.
    package var sentence: String {
        switch self {
        case .edited(let line): "line \(line) was edited: its contents do not fit its hash"
        case .missing(let lines): "\(Self.text(lines)) missing"
        case .unconnected(let line):
            "line \(line) is not the one that followed line \(line - 1): lines were reordered, replaced or renumbered"
        case .cutOff(let lines): "\(Self.text(lines)) missing: the end was cut off"
        case .added(let lines): "\(Self.text(lines)) not written by the service: the sealed head ends before"
        case .rewritten(let line): "line \(line) is not the one that was noted: the trail was written anew up to here"
        case .noLongerThere(let line): "line \(line) was noted earlier and is missing"
        case .headMissing: "the sealed head is missing: whether the end was cut off cannot be told"
        case .headUnreadable:
            "the sealed head cannot be opened: it was changed, or sealing.key is another one; whether the end was cut off "
                + "cannot be told"
        }
    }

    private static func text(_ lines: ClosedRange<Int64>) -> String {
        lines.count == 1 ? "line \(lines.lowerBound) is" : "lines \(lines.lowerBound) to \(lines.upperBound) are"
    }
}
