/// What a new list of routes asks for, beside the one that is served: each route is told by its name.
struct RouteChanges<Settings: Hashable>: Hashable {
    /// In the order of the new list.
    var added: [String] = []
    var changed: [String] = []
    /// In the order of the old list.
    var removed: [String] = []

    init(from old: [(name: String, settings: Settings)], to new: [(name: String, settings: Settings)]) {
        let before = Dictionary(old.map { ($0.name, $0.settings) }) { first, _ in first }
        let after = Set(new.map(\.name))
        for route in new {
            if let settings = before[route.name] {
                if settings != route.settings { changed.append(route.name) }
            } else {
                added.append(route.name)
            }
        }
        removed = old.map(\.name).filter { !after.contains($0) }
    }

    var isEmpty: Bool { added.isEmpty && changed.isEmpty && removed.isEmpty }

    var description: String {
        let parts = [("added", added), ("changed", changed), ("removed", removed)].filter { !$0.1.isEmpty }
        return parts.isEmpty
            ? "nothing has changed" : parts.map { "\($0.0) \($0.1.joined(separator: ", "))" }.joined(separator: "; ")
    }
}
