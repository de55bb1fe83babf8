extension Set<Scope> {
    /// The scopes by name, between spaces and in a fixed order.
    public var text: String { names.joined(separator: " ") }

    /// The names in a fixed order.
    public var names: [String] { map(\.rawValue).sorted() }

    /// Reads what ``text`` writes; a word that is no scope gives nil.
    public init?(text: String) {
        let words = text.split(separator: " ")
        self.init(words.compactMap { Scope(rawValue: String($0)) })
        guard count == words.count else { return nil }
    }
}
