internal import TunnelWire

/// The API's description of itself.
struct DescriptionRoutes: Sendable {
    static let path = "/api/v1/openapi.json"

    var routes: [Route] {
        [
            Route(
                method: "GET", pattern: RoutePattern(Self.path), access: .everyone, body: .unused,
                handler: .open { answer })
        ]
    }

    private var answer: APIAnswer {
        var answer = APIAnswer(status: 200, body: APIDescription.bytes)
        answer.fields.append("content-type", "application/json")
        return answer
    }
}
