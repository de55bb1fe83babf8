/// What became of a credential that was shown.
package enum Authentication<Record: Sendable>: Sendable {
    /// It counts.
    case accepted(Record)
    /// It is known whose it was, or whose it claims to be, and it does not count; the reason is for the audit trail alone.
    case refused(Record, reason: String)
    /// It counts, but not from where it was shown.
    case misplaced(Record)
    /// Nobody has such a credential.
    case unknown

    /// The record behind a credential that counts.
    var record: Record? {
        switch self {
        case .accepted(let record): record
        case .refused, .misplaced, .unknown: nil
        }
    }

    /// The same with another record.
    package func map<Other>(_ transform: (Record) -> Other) -> Authentication<Other> {
        switch self {
        case .accepted(let record): .accepted(transform(record))
        case .refused(let record, let reason): .refused(transform(record), reason: reason)
        case .misplaced(let record): .misplaced(transform(record))
        case .unknown: .unknown
        }
    }
}
