import Testing

@testable import TunnelWire

struct GRPCNoticeTests {
    private static func notice(_ status: Int, reason: String = "It is so.") -> TunnelNotice {
        TunnelNotice(status: status, code: "c", title: "T", reason: reason, forVisitor: "Do that.")
    }

    private static let call = HTTPFields([
        ("content-type", "application/grpc+proto"), ("te", "trailers"), ("accept", "text/html"),
    ])

    @Test(arguments: [
        (400, 13), (401, 16), (403, 7), (404, 12), (413, 8), (421, 14), (426, 2), (431, 8), (501, 12), (502, 14), (503, 14),
        (504, 4),
    ])
    func `a call of gRPC is answered with a status of its own, and nothing but a head`(status: Int, expected: Int) {
        let (head, body) = Self.notice(status).answer(requestID: "r1", to: Self.call)
        #expect(head.status == 200)
        #expect(body.isEmpty)
        #expect(
            head.fields.lines == [
                "content-type: application/grpc", "grpc-status: \(expected)", "grpc-message: It is so. Do that.",
                "cache-control: no-store", "x-request-id: r1",
            ])
    }

    @Test func `others get what they always got`() {
        #expect(
            Self.notice(404).answer(requestID: "r1", to: HTTPFields([("content-type", "application/grpc")])).head.status == 404)
    }

    @Test(arguments: [
        ("plain ~ words", "plain ~ words"), ("100 %", "100 %25"), ("söhne", "s%C3%B6hne"), ("a\nb\u{0}", "a%0Ab%00"), ("", ""),
    ])
    func `a message is percent-encoded as gRPC says`(text: String, encoded: String) {
        #expect(GRPCStatus.encoded(text) == encoded)
    }
}
