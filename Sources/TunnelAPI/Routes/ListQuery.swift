internal import TunnelDomain
internal import TunnelService

/// What `GET /tunnels` was asked for.
enum ListQuery: Equatable {
    /// Neither `limit` nor `cursor`: clients that look a tunnel up by name never page.
    case everything
    case page(after: TunnelCursor?, limit: Int)

    init(_ target: RequestTarget) throws(Problem) {
        let limitText = target.firstValue(of: "limit")
        let cursorText = target.firstValue(of: "cursor")
        if limitText == nil, cursorText == nil {
            self = .everything
            return
        }
        var errors: [FieldError] = []
        let limit = limitText.map { Int(exactDigits: $0) ?? 0 } ?? ListTunnels.pageSizeDefault
        if !(1...ListTunnels.pageSizeMax).contains(limit) {
            errors.append(FieldError("?limit", "It is not a number from 1 to \(ListTunnels.pageSizeMax)."))
        }
        let cursor = cursorText.flatMap(TunnelCursor.init(token:))
        if cursorText != nil, cursor == nil {
            errors.append(FieldError("?cursor", "It is not a cursor of this list; take next_cursor as it was given."))
        }
        guard errors.isEmpty else { throw Problem(invalid: errors) }
        self = .page(after: cursor, limit: limit)
    }
}

extension TunnelCursor {
    /// The cursor as clients carry it; they need not understand it.
    var token: String { "\(createdAt.microsecondsSinceEpoch)~\(id.text)" }

    init?(token: String) {
        let parts = token.split(separator: "~", omittingEmptySubsequences: false)
        guard parts.count == 2, let microseconds = Int64(parts[0]), let id = TunnelID(String(parts[1])) else { return nil }
        self.init(createdAt: Timestamp(microsecondsSinceEpoch: microseconds), id: id)
    }
}

extension Int {
    /// A number of plain digits: no sign, no blanks.
    fileprivate init?(exactDigits text: String) {
        guard !text.isEmpty, text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else { return nil }
        self.init(text)
    }
}
