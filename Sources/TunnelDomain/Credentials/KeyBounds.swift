/// What an API key is narrowed to within what its owner may: some acts, and some addresses.
public struct KeyBounds: Hashable, Sendable {
    /// The acts; nil for everything that the owner may.
    public let scopes: KeyScopes?
    /// From where the key may be used; empty for everywhere.
    public let ranges: [AddressRange]

    /// Not narrowed at all, as keys are unless somebody asks for it.
    public static let none = KeyBounds()

    /// Takes scopes and ranges; a range that stands twice is kept once.
    public init(scopes: KeyScopes? = nil, ranges: [AddressRange] = []) {
        self.scopes = scopes
        var seen: Set<AddressRange> = []
        self.ranges = ranges.filter { seen.insert($0).inserted }
    }

    /// Whether the key may be used from an address, given as text without a port; a zone after `%` is ignored.
    ///
    /// What is no IP address, such as the peer of a Unix socket, is in no range.
    public func admits(_ address: String) -> Bool {
        if ranges.isEmpty { return true }
        let bare = address.utf8.prefix { $0 != ASCII.percent }
        guard let address = IPAddress(String(decoding: bare, as: UTF8.self)) else { return false }
        return ranges.contains { $0.contains(address) }
    }

    /// Whether whoever is within this is within the other from everywhere: each range lies in one of the other's.
    func reachesNoFurther(than other: KeyBounds) -> Bool {
        if other.ranges.isEmpty { return true }
        return !ranges.isEmpty && ranges.allSatisfy { range in other.ranges.contains { $0.contains(range) } }
    }
}

/// The acts that a key is narrowed to.
public struct KeyScopes: Hashable, Sendable {
    public let words: Set<KeyScope>
    /// The tunnels that it may connect agents for, besides what the words say. They are kept by their ids: a renamed tunnel
    /// stays the same, and another one that gets its name later is another.
    public let tunnels: Set<TunnelID>

    /// Takes scopes; with none of either kind a key may only ask who it is.
    public init(words: Set<KeyScope>, tunnels: Set<TunnelID> = []) {
        self.words = words
        self.tunnels = tunnels
    }

    /// Whether an act is among them at all, whatever it is done to.
    func permits(_ action: Permission.Action) -> Bool {
        guard let needed = Permission.keyScope(of: action) else { return true }
        return words.contains(needed) || action == .connectAgent && !tunnels.isEmpty
    }

    /// Whether an act that is among them reaches this resource.
    func reaches(_ resource: Permission.Resource, by action: Permission.Action) -> Bool {
        guard action == .connectAgent, !words.contains(.connectAgents) else { return true }
        return resource.tunnelID.map { tunnels.contains($0) } ?? false
    }
}

// MARK: - As text for a store

extension KeyScopes {
    /// The scopes between spaces and in a fixed order; tunnels by their ids.
    public var text: String {
        (words.map(\.rawValue).sorted() + tunnels.sorted().map { "tunnel:\($0):connect" }).joined(separator: " ")
    }

    /// Reads what ``text`` writes; anything else gives nil.
    public init?(text: String) {
        var words: Set<KeyScope> = []
        var tunnels: Set<TunnelID> = []
        for part in text.split(separator: " ") {
            let pieces = part.split(separator: ":", omittingEmptySubsequences: false)
            if let word = KeyScope(rawValue: String(part)) {
                words.insert(word)
            } else if pieces.count == 3, pieces[0] == "tunnel", pieces[2] == "connect", let id = TunnelID(String(pieces[1])) {
                tunnels.insert(id)
            } else {
                return nil
            }
        }
        self.init(words: words, tunnels: tunnels)
    }
}
