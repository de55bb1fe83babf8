internal import TunnelAgent
internal import TunnelWire

/// Which requests are meant. What is not said does not matter.
struct RequestFilter: Sendable, Hashable {
    var agent: String?
    var tunnel: String?
    var method: String?
    /// The whole path, without the query.
    var path: String?
    var pathPrefix: String?
    var pathContains: String?
    var headers: [JSONMember] = []
    var bodyContains: String?
    /// Members that the body's JSON must have, at any depth beneath them.
    var bodyJSON: JSON?
    var status: Int?
    /// What is not shown does not match either. Or secrets could be found out by asking for one letter after the other.
    var isBlind = false

    init(_ value: JSON?, isBlind: Bool = false) {
        self.isBlind = isBlind
        agent = value?["agent"]?.stringValue
        tunnel = value?["tunnel"]?.stringValue
        method = value?["method"]?.stringValue
        path = value?["path"]?.stringValue
        pathPrefix = value?["path_prefix"]?.stringValue
        pathContains = value?["path_contains"]?.stringValue
        headers = value?["headers"]?.objectMembers ?? []
        bodyContains = value?["body_contains"]?.stringValue
        bodyJSON = value?["body_json"]
        status = value?["status"]?.intValue
    }

    func matches(_ request: CapturedRequest) -> Bool { mismatch(of: request) == nil }

    /// The first thing that is otherwise, in words; nil when nothing is.
    func mismatch(of request: CapturedRequest) -> String? {
        if let agent, agent != request.agent { return "it came to agent \(request.agent)" }
        if let tunnel, tunnel != request.tunnel { return "it came to tunnel \(request.tunnel)" }
        if let method, method.uppercased() != request.method.uppercased() { return "its method is \(request.method)" }
        if let status, status != request.outcome?.status {
            return request.outcome?.status.map { "it was answered with \($0)" } ?? "it was not answered"
        }
        if let why = pathMismatch(of: request) { return why }
        for header in headers {
            if let why = mismatch(of: header, in: request) { return why }
        }
        return bodyMismatch(of: request)
    }

    private func pathMismatch(of request: CapturedRequest) -> String? {
        guard path != nil || pathPrefix != nil || pathContains != nil else { return nil }
        let whole = isBlind ? Redaction.path(request.path) : request.path
        let bare = String(whole.prefix { $0 != "?" })
        let isMeant =
            path.map { $0 == bare } ?? true && pathPrefix.map { bare.hasPrefix($0) } ?? true
            && pathContains.map { whole.contains($0) } ?? true
        return isMeant ? nil : "its path is \(bare)"
    }

    private func mismatch(of header: JSONMember, in request: CapturedRequest) -> String? {
        let name = header.name.lowercased()
        let fields = request.fields.filter { $0.name == name }
        guard !fields.isEmpty else { return "it has no header \(name)" }
        let values = (isBlind ? Redaction.fields(fields) : fields).map(\.value)
        guard let wanted = header.value.stringValue, !values.contains(wanted) else { return nil }
        return "its header \(name) has another value"
    }

    private func bodyMismatch(of request: CapturedRequest) -> String? {
        guard bodyContains != nil || bodyJSON != nil else { return nil }
        let bytes = isBlind ? Self.shownBytes(of: request) : request.body.bytes
        if let bodyContains, !String(decoding: bytes, as: UTF8.self).contains(bodyContains) {
            return "its body does not contain the text"
        }
        if let bodyJSON {
            guard let body = try? JSON(parsing: bytes) else { return "its body is not JSON" }
            if let place = bodyJSON.firstDifference(in: body) { return "its body differs at \(place)" }
        }
        return nil
    }
}

extension RequestFilter {
    private static func shownBytes(of request: CapturedRequest) -> [UInt8] {
        switch ShownBody(request.body, request.fields) {
        case .text(let text): Array(text.utf8)
        case .bytes: request.body.bytes
        case .hidden: []
        }
    }
}

extension JSON {
    /// The pointer (RFC 6901) to the first part of this value that the other does not have; members it has more do not count.
    func firstDifference(in other: JSON, at pointer: String = "") -> String? {
        switch (self, other) {
        case (.object(let members), .object):
            for member in members {
                let place = "\(pointer)/\(member.name)"
                guard let value = other[member.name] else { return place }
                if let difference = member.value.firstDifference(in: value, at: place) { return difference }
            }
            return nil
        case (.array(let left), .array(let right)):
            guard left.count == right.count else { return pointer.isEmpty ? "/" : pointer }
            for (index, pair) in zip(left, right).enumerated() {
                if let difference = pair.0.firstDifference(in: pair.1, at: "\(pointer)/\(index)") { return difference }
            }
            return nil
        case (.number, .number) where doubleValue == other.doubleValue: return nil
        default: return self == other ? nil : (pointer.isEmpty ? "/" : pointer)
        }
    }
}
