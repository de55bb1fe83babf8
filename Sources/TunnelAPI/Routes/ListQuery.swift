internal import HTTPTransport
internal import TunnelDomain
internal import TunnelService
internal import TunnelWire

extension ListRange {
    /// What a list was asked for in the query: `limit` and `cursor`, or neither.
    init(_ target: RequestTarget) throws(Problem) {
        let limitText = target.firstValue(of: "limit")
        let cursorText = target.firstValue(of: "cursor")
        if limitText == nil, cursorText == nil {
            self = .everything
            return
        }
        var errors: [FieldError] = []
        let sizeMax = Page<Never>.sizeMax
        let limit = limitText.map { Int(exactDigits: $0) ?? 0 } ?? Page<Never>.sizeDefault
        if !(1...sizeMax).contains(limit) { errors.append(FieldError("?limit", "It is not a number from 1 to \(sizeMax).")) }
        let cursor = cursorText.flatMap(ListCursor.init(token:))
        if cursorText != nil, cursor == nil {
            errors.append(FieldError("?cursor", "It is not a cursor of this list; take the next page's as it was given."))
        }
        guard errors.isEmpty else { throw Problem(invalid: errors) }
        self = .page(after: cursor, limit: limit)
    }
}

extension Page {
    /// The list as a member of an object, with `next_cursor` only when there is more.
    func answer(_ name: String, _ document: (Item) throws -> JSONValue) rethrows -> APIAnswer {
        var members = [JSONMember(name, .array(try items.map(document)))]
        if let next { members.append(JSONMember("next_cursor", .string(next.token))) }
        return APIAnswer(200, .object(members))
    }

    /// The list as a bare array, with a `Link` to the next page only when there is more (RFC 8288).
    func bareAnswer(_ target: RequestTarget, _ document: (Item) throws -> JSONValue) rethrows -> APIAnswer {
        var answer = APIAnswer(200, .array(try items.map(document)))
        if let next {
            // Filters stay, so that the link leads on in the same list.
            let kept = target.query.filter { $0.name != "cursor" }.map { "\(escaped($0.name))=\(escaped($0.value))" }
            let query = (kept + ["cursor=\(next.token)"]).joined(separator: "&")
            answer.fields.append("link", "<\(target.path)?\(query)>; rel=\"next\"")
        }
        return answer
    }

    private func escaped(_ text: String) -> String {
        text.utf8.map { byte in
            let scalar = Unicode.Scalar(byte)
            let isPlain =
                scalar.properties.isAlphabetic && byte < 0x80 || (0x30...0x39).contains(byte) || "-._~".utf8.contains(byte)
            return isPlain ? String(scalar) : "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
        }.joined()
    }
}

extension ListCursor {
    /// The cursor as clients carry it; they need not understand it.
    var token: String { "\(createdAt.microsecondsSinceEpoch)~\(id.text)" }

    init?(token: String) {
        let parts = token.split(separator: "~", omittingEmptySubsequences: false)
        guard parts.count == 2, let microseconds = Int64(parts[0]), let id = UUIDValue(String(parts[1])) else { return nil }
        self.init(createdAt: Timestamp(microsecondsSinceEpoch: microseconds), id: id)
    }
}

extension Int {
    /// A number of plain digits: no sign, no blanks.
    init?(exactDigits text: String) {
        guard !text.isEmpty, text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else { return nil }
        self.init(text)
    }
}
