/// Why the store could not do what it was asked; nothing of the transaction has happened.
package enum StoreError: Error, Sendable, Hashable {
    /// The disk or the quota is full.
    case full
    /// Another process held the lock for longer than the store waits.
    case busy
    /// The file or its file system does not take writes.
    case readOnly
    /// The file is damaged; the text says what was noticed.
    case corrupt(String)
    /// The system refused an operation; the text names it.
    case io(String)
    /// A row would break a constraint of the schema: a rule was missed above.
    case constraint(String)
    /// The store has been closed: the service is stopping.
    case closed
}

extension StoreError {
    /// What happened and what to do next, for people; holds no secret and no path.
    package var explanation: String {
        switch self {
        case .full: "the disk of the service is full; nothing was changed, try again when the operator has made room"
        case .busy: "the store is locked by another process; nothing was changed, try again in a moment"
        case .readOnly: "the store takes no writes at present; nothing was changed, the operator has to mend it"
        case .corrupt: "the store is damaged; the operator has to restore it from a backup"
        case .io: "the store could not be read or written; nothing was changed, try again in a moment"
        case .constraint: "the store refused a row that breaks its rules; nothing was changed"
        case .closed: "the service is stopping; nothing was changed, try again in a moment"
        }
    }
}
