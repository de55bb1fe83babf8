internal import FoundationEssentials

/// A problem document as servers of this contract write it (RFC 9457), and as a refusal tells it.
struct ProblemDocument: Decodable {
    var type: String?
    var title: String?
    var code: String?
    var detail: String?
    var errors: [Member]

    struct Member: Decodable {
        var pointer: String
        var detail: String
    }

    private enum CodingKeys: String, CodingKey { case type, title, code, detail, errors }

    /// The object form of `detail` that a handle collision has.
    private struct NamedDetail: Decodable {
        var code: String?
        var detail: String?
    }

    init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: CodingKeys.self)
        type = try? members.decodeIfPresent(String.self, forKey: .type)
        title = try? members.decodeIfPresent(String.self, forKey: .title)
        code = try? members.decodeIfPresent(String.self, forKey: .code)
        errors = (try? members.decodeIfPresent([Member].self, forKey: .errors)) ?? []
        if let named = try? members.decode(NamedDetail.self, forKey: .detail) {
            code = code ?? named.code
            detail = named.detail
        } else {
            detail = try? members.decodeIfPresent(String.self, forKey: .detail)
        }
    }
}

extension ServerRefusal {
    /// Reads what a response with a status of 400 or more says; a body that is no problem document is no obstacle.
    init(_ response: ClientResponse) {
        let problem = try? JSONDecoder().decode(ProblemDocument.self, from: Data(response.body))
        let typeName = problem?.type.flatMap { $0.split(whereSeparator: { $0 == "/" || $0 == "#" || $0 == ":" }).last }
        self.init(
            status: response.status,
            code: problem?.code ?? typeName.flatMap { $0 == "blank" ? nil : String($0) },
            detail: problem?.detail ?? problem?.title ?? "the server answered \(response.status) without saying why",
            requestID: response.first("x-request-id"),
            retryAfterSeconds: response.first("retry-after").flatMap { Int($0) }.flatMap { $0 >= 0 ? $0 : nil },
            memberErrors: (problem?.errors ?? []).map { MemberError(pointer: $0.pointer, detail: $0.detail) })
    }
}
