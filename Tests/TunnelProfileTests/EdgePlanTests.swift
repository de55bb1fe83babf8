import Foundation
import Testing
import TunnelAgent
import TunnelClient
import TunnelProfile

struct EdgePlanTests {
    @Test(
        arguments: [
            (
                "https://tunnels.example", ServiceDescription(zone: "tunnels.example", httpsPort: 443), nil,
                "tunnels.example:443", "https://a.tunnels.example"
            ),
            ("https://api.example:8443", nil, nil, "api.example:8443", "https://a.tunnels.example:8443"),
            (
                "http://127.0.0.1:8080", ServiceDescription(zone: "tunnels.example", httpsPort: 8443), nil, "127.0.0.1:8443",
                "https://a.tunnels.example:8443"
            ),
            ("http://127.0.0.1:8080", nil, nil, "tunnels.example:443", "https://a.tunnels.example"),
            (
                "https://tunnels.example",
                ServiceDescription(zone: "tunnels.example", httpsPort: 443, edge: "edge.example:7000"), nil,
                "edge.example:7000", "https://a.tunnels.example"
            ),
            (
                "https://tunnels.example", ServiceDescription(zone: "tunnels.example", httpsPort: 443), "[::1]:9", "[::1]:9",
                "https://a.tunnels.example"
            ),
        ] as [(String, ServiceDescription?, String?, String, String)])
    func `the edge is where the person, the server or the URL says`(
        serverText: String, description: ServiceDescription?, chosen: String?, edge: String, publicURL: String
    ) throws {
        let plan = try EdgePlan(
            tunnel: tunnel(), server: ServerURL(validating: serverText), description: description,
            chosen: chosen.flatMap { EdgeAddress($0) })
        if serverText == "http://127.0.0.1:8080", description == nil {
            #expect(plan.edge.port == 443)
        } else {
            #expect(plan.edge.description == edge)
        }
        #expect(plan.publicURL == publicURL)
        #expect(plan.zone == "tunnels.example")
    }

    @Test func `a server without an HTTPS listener cannot serve agents`() throws {
        #expect(throws: EdgePlan.Flaw.missingListener) {
            try EdgePlan(
                tunnel: self.tunnel(), server: ServerURL(validating: "http://127.0.0.1:8080"),
                description: ServiceDescription(zone: "tunnels.example", httpPort: 8080), chosen: nil)
        }
    }

    private func tunnel() throws -> TunnelRecord {
        let document = [
            "id": "one", "tunnel_name": "a", "tls_mode": "edge", "status": "active", "public_host": "a.tunnels.example",
            "zone": "tunnels.example",
        ]
        return try ClientJSON.decoder().decode(TunnelRecord.self, from: JSONEncoder().encode(document))
    }
}
