import Testing

@testable import TunnelWire

struct HopByHopTests {
    private static func toAgent(_ name: String) -> Bool { judge(name, HopByHop.travelsToAgent) }
    private static func toThirdParty(_ name: String) -> Bool { judge(name, HopByHop.travelsToThirdParty) }

    private static func judge(_ name: String, _ rule: (KnownField, Span<UInt8>) -> Bool) -> Bool {
        let bytes = Array(name.utf8)
        return rule(bytes.withUnsafeBufferPointer { KnownField(lowercased: $0) }, bytes.span)
    }

    @Test(
        arguments: [
            "connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "proxy-authenticate",
            "proxy-authorization", "proxy-connection", "host", "expect", "sec-websocket-key", "sec-websocket-version",
            "sec-websocket-extensions", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-forwarded-port",
            "x-forwarded-prefix", "x_forwarded_for", "x-forwarded_for", "x-real-ip", "x_real_ip", "forwarded", "inkbox-h-a",
            "inkbox-status", "inkbox-anything", "inkbox_status", "inkbox-", "",
        ])
    func `a request field of the connection or of the tunnel stays behind`(name: String) {
        #expect(!Self.toAgent(name))
    }

    @Test(
        arguments: [
            "authorization", "x-api-key", "cookie", "content-type", "content-length", "content-encoding", "user-agent",
            "sec-websocket-protocol", "x-tunnel-secret", "x-request-id", "x-custom", "via", "x-forwarded", "x-real-ip2",
            "inkboxes", "x-inkbox-a", "i", "x",
        ])
    func `any other request field travels`(name: String) {
        #expect(Self.toAgent(name))
    }

    @Test(
        arguments: [
            "connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "proxy-authenticate",
            "proxy-authorization", "content-length", "host", "inkbox-reason", "inkbox-status", "inkbox-new", "inkbox_new",
            "sec-websocket-accept",
        ])
    func `a response field of the connection or of the tunnel stays behind`(name: String) {
        #expect(!Self.toThirdParty(name))
    }

    @Test(arguments: ["set-cookie", "content-type", "www-authenticate", "date", "x-forwarded-for", "sec-websocket-protocol"])
    func `any other response field travels`(name: String) {
        #expect(Self.toThirdParty(name))
    }
}
