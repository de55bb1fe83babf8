import Foundation
import TLS
import TunnelDomain

/// Contexts with fresh certificates for `localhost`.
enum TestCertificates {
    struct Pair: Sendable {
        var server: TLSContext
        var client: TLSContext
        var caFile: String
    }

    static func pair(_ protocols: [String]) throws -> Pair {
        let now = Timestamp(secondsSinceEpoch: Int64(Date().timeIntervalSince1970))
        let authority = try CertificateAuthority.make(zone: "localhost", at: now)
        let leaf = try authority.issueServerCertificate(hosts: ["localhost"], at: now)
        let identity = try TLSIdentity(chainPEM: leaf.certificatePEM, keyPEM: leaf.keyPEM ?? "")
        let caFile = FileManager.default.temporaryDirectory.appendingPathComponent("culvert-ca-\(UUID().uuidString).pem").path
        try authority.certificatePEM.write(toFile: caFile, atomically: true, encoding: .utf8)
        let server = try TLSContext.server(applicationProtocols: protocols) { _ in identity }
        let client = try TLSContext.client(applicationProtocols: protocols, trust: .file(caFile))
        return Pair(server: server, client: client, caFile: caFile)
    }
}
