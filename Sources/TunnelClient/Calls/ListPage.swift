/// One page of a list, newest first, and where the next one begins.
public struct ListPage<Item: Sendable>: Sendable {
    public var items: [Item]
    /// Nil on the last page.
    public var next: ListCursor?

    /// A page with every member given.
    public init(items: [Item], next: ListCursor? = nil) {
        self.items = items
        self.next = next
    }
}

/// A place in a list, as the server gave it; it has no meaning to a client.
public struct ListCursor: Sendable, Hashable {
    /// Percent-encoded, fit to be a query's value.
    let encoded: String

    /// A cursor as a page's `next_cursor` has it.
    init(token: String) { encoded = PercentEncoding.encode(token) }

    /// The cursor of the next page in a `Link` field (RFC 8288), or nil. Only the cursor is taken from it: a list goes on where
    /// it began, whatever address the field names.
    init?(link: String) {
        for part in link.split(separator: ",") {
            let parameters = part.split(separator: ";").map { $0.drop(while: \.isWhitespace) }
            guard parameters.dropFirst().contains(where: { $0 == "rel=\"next\"" || $0 == "rel=next" }),
                let target = parameters.first, target.first == "<", let mark = target.firstIndex(of: "?"),
                let end = target.firstIndex(of: ">"), mark < end
            else { continue }
            let pairs = target[target.index(after: mark)..<end].split(separator: "&")
            guard let pair = pairs.first(where: { $0.hasPrefix("cursor=") }) else { continue }
            let value = pair.dropFirst("cursor=".count)
            guard !value.isEmpty, value.utf8.allSatisfy(Self.isQueryByte) else { continue }
            encoded = String(value)
            return
        }
        return nil
    }

    private static func isQueryByte(_ byte: UInt8) -> Bool {
        (0x21...0x7E).contains(byte) && byte != UInt8(ascii: "#") && byte != UInt8(ascii: "&")
    }
}

/// A list that is fetched page by page while it is iterated over.
///
/// ```swift
/// for try await event in client.auditEvents(matching: filter) { … }
/// ```
public struct PagedList<Item: Sendable>: AsyncSequence, Sendable {
    /// One entry of the list.
    public typealias Element = Item
    /// What fetching a page may throw.
    public typealias Failure = ClientError

    /// What servers of this contract give at most in one page.
    public static var pageSizeMax: Int { 200 }

    private let fetch: @Sendable (ListCursor?) async throws(ClientError) -> ListPage<Item>

    init(_ fetch: @escaping @Sendable (ListCursor?) async throws(ClientError) -> ListPage<Item>) { self.fetch = fetch }

    /// The page behind a cursor; the first one without.
    public func page(after cursor: ListCursor? = nil) async throws(ClientError) -> ListPage<Item> {
        try await fetch(cursor)
    }

    /// The whole list; with a limit, at most so many items of it.
    public func collect(limit: Int? = nil) async throws(ClientError) -> [Item] {
        var items: [Item] = []
        var cursor: ListCursor?
        repeat {
            let page = try await fetch(cursor)
            items += page.items
            cursor = page.next
        } while cursor != nil && items.count < limit ?? Int.max
        return Array(items.prefix(limit ?? items.count))
    }

    /// Begins with the first page.
    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(fetch: fetch) }

    /// Goes through the list once.
    public struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate let fetch: @Sendable (ListCursor?) async throws(ClientError) -> ListPage<Item>
        private var items: ArraySlice<Item> = []
        private var cursor: ListCursor?
        private var isLastPage = false

        fileprivate init(fetch: @escaping @Sendable (ListCursor?) async throws(ClientError) -> ListPage<Item>) {
            self.fetch = fetch
        }

        /// The next entry; nil behind the last one.
        public mutating func next(isolation actor: isolated (any Actor)?) async throws(ClientError) -> Item? {
            while items.isEmpty, !isLastPage {
                let page = try await fetch(cursor)
                items = page.items[...]
                cursor = page.next
                isLastPage = page.next == nil
            }
            return items.popFirst()
        }

        /// The next entry; nil behind the last one.
        public mutating func next() async throws(ClientError) -> Item? { try await next(isolation: nil) }
    }
}

// MARK: - From the wire

/// A page as one member of an object, `next_cursor` beside it.
protocol ListDocument: Decodable, SendableMetatype {
    associatedtype Item: Sendable
    var items: [Item] { get }
    var nextCursor: String? { get }
}

extension CulvertClient {
    func list<Document: ListDocument>(
        _ type: Document.Type, at path: String, _ query: Query = Query(), pageSize: Int = PagedList<Document.Item>.pageSizeMax
    ) -> PagedList<Document.Item> {
        PagedList { cursor throws(ClientError) in
            let page = try await answer(type, to: .get(path, query.page(pageSize, after: cursor)))
            return try Self.page(page.items, next: page.nextCursor.map { ListCursor(token: $0) }, after: cursor)
        }
    }

    /// A list that is a bare array, with a `Link` to the next page.
    func bareList<Item: Decodable & Sendable>(
        _ type: Item.Type, at path: String, _ query: Query = Query(), pageSize: Int = PagedList<Item>.pageSizeMax
    ) -> PagedList<Item> {
        PagedList { cursor throws(ClientError) in
            let response = try await perform(.get(path, query.page(pageSize, after: cursor)))
            let items = try Self.read([Item].self, from: response)
            return try Self.page(items, next: response.first("link").flatMap { ListCursor(link: $0) }, after: cursor)
        }
    }

    /// A server that names the same place again would be asked for ever.
    private static func page<Item>(
        _ items: [Item], next: ListCursor?, after cursor: ListCursor?
    ) throws(ClientError) -> ListPage<Item> {
        guard next == nil || next != cursor else {
            throw .unusableAnswer(status: 200, reason: "the next page of the list begins where this one did")
        }
        return ListPage(items: items, next: next)
    }
}

extension Query {
    fileprivate func page(_ size: Int, after cursor: ListCursor?) -> Query {
        var query = self
        query.append("limit", "\(size)")
        if let cursor { query.append("cursor", encoded: cursor.encoded) }
        return query
    }
}
