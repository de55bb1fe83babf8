package import TunnelDomain

/// A place in a list, newest first: behind the item that was made then and has this id.
package struct ListCursor: Sendable, Hashable {
    package let createdAt: Timestamp
    package let id: UUIDValue

    package init(createdAt: Timestamp, id: UUIDValue) {
        self.createdAt = createdAt
        self.id = id
    }

    /// The place right behind a tunnel.
    package init(behind tunnel: Tunnel) {
        self.init(createdAt: tunnel.createdAt, id: tunnel.id.value)
    }

    package init(behind identity: Identity) {
        self.init(createdAt: identity.createdAt, id: identity.id.value)
    }

    package init(behind key: APIKeyRecord) {
        self.init(createdAt: key.createdAt, id: key.id)
    }

    /// Whether an item comes after this place: older, or as old with a smaller id.
    package func precedes(createdAt other: Timestamp, id otherID: UUIDValue) -> Bool {
        (other, otherID) < (createdAt, id)
    }
}

/// One page of a list, and where the next one begins.
package struct Page<Item: Sendable>: Sendable {
    /// Items on a page when none was asked for by number.
    package static var sizeDefault: Int { 100 }
    /// The largest page that may be asked for.
    package static var sizeMax: Int { 200 }

    package let items: [Item]
    /// Nil when there is nothing behind this page.
    package let next: ListCursor?

    package init(items: [Item], next: ListCursor?) {
        self.items = items
        self.next = next
    }

    package func map<Other>(_ transform: (Item) throws -> Other) rethrows -> Page<Other> {
        Page<Other>(items: try items.map(transform), next: next)
    }
}

/// How much of a list is asked for.
package enum ListRange: Sendable, Hashable {
    /// Neither `limit` nor `cursor`: clients that look a thing up by name never page.
    case everything
    /// At most `limit` items behind the cursor.
    case page(after: ListCursor?, limit: Int)
}

extension ListRange {
    /// Gathers what the range asks for, and reads on past items that must not be shown.
    func gather<Item>(
        cursor: (Item) -> ListCursor, shows: (Item) -> Bool = { _ in true },
        read: (_ after: ListCursor?, _ limit: Int?) throws -> [Item]
    ) throws -> Page<Item> {
        switch self {
        case .everything:
            return Page(items: try read(nil, nil).filter(shows), next: nil)
        case .page(let start, let limit):
            precondition((1...Page<Item>.sizeMax).contains(limit), "the caller has checked the page size")
            // One more than asked for tells whether there is a next page.
            var found: [Item] = []
            var place = start
            while found.count <= limit {
                let batch = try read(place, limit + 1)
                found += batch.filter(shows)
                guard batch.count == limit + 1, let last = batch.last else { break }
                place = cursor(last)
            }
            let items = Array(found.prefix(limit))
            return Page(items: items, next: found.count > limit ? items.last.map(cursor) : nil)
        }
    }
}
