internal import Testing
internal import TunnelClient

struct ServerRefusalTests {
    @Test(
        arguments: [
            (400, .invalid), (401, .unauthenticated), (403, .forbidden), (404, .notFound), (409, .conflict), (410, .notFound),
            (413, .invalid), (422, .invalid), (429, .rateLimited), (500, .serverFailed), (503, .serverFailed),
            (599, .serverFailed),
        ] as [(Int, ServerRefusal.Kind)])
    func `a status becomes one kind of refusal`(status: Int, kind: ServerRefusal.Kind) {
        #expect(ServerRefusal(status: status, detail: "d").kind == kind)
    }

    @Test func `a problem document is read whole`() async throws {
        let problem = """
            {"type": "https://culvert.example/problems/validation-failed", "title": "Unprocessable Content", "status": 422,
             "detail": "tunnel_name is too short", "errors": [{"pointer": "/tunnel_name", "detail": "3 to 63 characters"}]}
            """
        let refusal = try await refusal(.json(422, problem, fields: [("x-request-id", "r-7")]))
        #expect(
            refusal
                == ServerRefusal(
                    status: 422, code: "validation-failed", detail: "tunnel_name is too short", requestID: "r-7",
                    memberErrors: [.init(pointer: "/tunnel_name", detail: "3 to 63 characters")]))
        #expect(refusal.description == "422: tunnel_name is too short; /tunnel_name: 3 to 63 characters (request r-7)")
    }

    @Test func `a handle collision keeps its code`() async throws {
        let problem = """
            {"type": "about:blank", "title": "Conflict", "status": 409,
             "detail": {"code": "agent_handle_unavailable", "blocking_namespace": "tunnels", "detail": "taken"}}
            """
        let refusal = try await refusal(.json(409, problem))
        #expect(refusal.code == "agent_handle_unavailable")
        #expect(refusal.detail == "taken")
    }

    @Test(arguments: ["", "<html>502</html>", "[]", #"{"detail": 7}"#])
    func `a refusal without a problem document still says something`(body: String) async throws {
        let refusal = try await refusal(.json(404, body))
        #expect(refusal.status == 404)
        #expect(refusal.detail == "the server answered 404 without saying why")
    }

    @Test(arguments: [("7", 7), ("0", 0), ("-1", nil), ("Wed, 21 Oct 2026 07:28:00 GMT", nil)] as [(String, Int?)])
    func `retry-after is told in seconds`(value: String, seconds: Int?) async throws {
        #expect(try await refusal(.json(429, "{}", fields: [("retry-after", value)])).retryAfterSeconds == seconds)
    }

    private func refusal(_ step: ScriptedTransport.Step) async throws -> ServerRefusal {
        do {
            _ = try await ScriptedClient([step]).client.tunnels()
        } catch ClientError.refused(let refusal) {
            return refusal
        }
        throw TransportFailure.connectionLost(reason: "the call was not refused")
    }
}
