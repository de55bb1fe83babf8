import TestSupport
import Testing
import TunnelAPI
import TunnelDomain
import TunnelService
import TunnelWire

/// Whatever is sent, the service does not fault, and answers in its own form.
struct RandomRequestTests {
    private static let methods = ["GET", "POST", "PATCH", "DELETE", "HEAD", "PUT", "OPTIONS", "", "\u{0}", "get"]
    private static let pieces = [
        "/api/v1/tunnels", "/", "ID", "restore", "force", "rotate-secret", "sign-csr", "?", "limit=", "cursor=", "5", "%",
        "%00",
        "&", "=", "~", "//", "..", "\u{FFFD}", "healthz", "readyz", String(repeating: "x", count: 3000),
    ]
    private static let bodies = [
        "", "{}", "[]", "null", "{", #"{"tunnel_name":"agent-N"}"#, #"{"tunnel_name":{},"tls_mode":[]}"#,
        #"{"description":null,"metadata":{}}"#, #"{"description":"\u0000","metadata":1e999}"#, #"{"metadata":{"a":1e999}}"#,
        #"{"csr_pem":""}"#, #"{"csr_pem":7}"#, "\u{0}", "{\"\u{FFFD}\":1}",
    ]
    private static let fields: [(String, String)] = [
        ("idempotency-key", "k"), ("idempotency-key", ""), ("idempotency-key", String(repeating: "k", count: 256)),
        ("authorization", "Bearer"), ("authorization", "Bearer  "), ("authorization", "Basic x"), ("x-api-key", "\u{0}"),
        ("content-type", "text/plain"), ("content-type", ""),
    ]

    @Test(arguments: [UInt64.random(in: 0...UInt64(UInt32.max))])
    func `no request makes the service fault`(seed: UInt64) async throws {
        var generator = SeededGenerator(seed: seed)
        let harness = try await APIHarness()
        let ids = [try await harness.createTunnel("one").id, try harness.arrangeIdentityTunnel("two").id, "x", ""]
        for number in 0..<3000 {
            let method = Self.methods.randomElement(using: &generator) ?? ""
            var path = Bool.random(using: &generator) ? "/api/v1/tunnels/ID/" : ""
            for _ in 0..<Int.random(in: 0...4, using: &generator) { path += Self.pieces.randomElement(using: &generator) ?? "" }
            path = path.replacing("ID", with: ids.randomElement(using: &generator) ?? "")
            let body = (Self.bodies.randomElement(using: &generator) ?? "").replacing("N", with: "\(number)")
            let extra = (0..<Int.random(in: 0...2, using: &generator)).compactMap { _ in
                Self.fields.randomElement(using: &generator)
            }
            let reply = try await harness.send(method, path, body, fields: extra)
            #expect((200..<500).contains(reply.status) || reply.status == 501, "seed \(seed), request \(number)")
            #expect(reply["x-request-id"] == "req-1")
            #expect(reply.status < 400 || method == "HEAD" || reply.json["detail"] != nil, "seed \(seed), request \(number)")
        }
    }
}
