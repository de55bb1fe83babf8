import Foundation
import TLS
import Testing
import TunnelDomain
import TunnelWire

/// A signed webhook of Fixtures/Webhooks/vectors.json.
struct WebhookVector: Decodable, Sendable, CustomTestStringConvertible {
    var name: String
    var documented: Bool
    var scheme: String
    var secret: String
    var secretForm: String
    var receivedAt: Int64
    var url: String
    var headers: [String: String]
    var bodyBase64: String

    var testDescription: String { name }

    static let all: [WebhookVector] = {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        let file = WireFixtures.root.deletingLastPathComponent().appending(path: "Webhooks/vectors.json")
        return (try? decoder.decode([WebhookVector].self, from: Data(contentsOf: file))) ?? []
    }()

    var key: [UInt8] { WebhookSecretForm(rawValue: secretForm)?.bytes(of: secret) ?? [] }

    var request: WebhookRequest {
        let slash = url.dropFirst("https://".count).firstIndex(of: "/") ?? url.endIndex
        return WebhookRequest(
            method: "POST", target: String(url[slash...]), origin: String(url[..<slash]),
            fields: headers.sorted { $0.key < $1.key }.map { WebhookField($0.key, $0.value) },
            body: Base64.decode(bodyBase64) ?? [], address: "192.0.2.7",
            receivedAt: Timestamp(secondsSinceEpoch: receivedAt))
    }

    func verifier(_ keys: [[UInt8]]? = nil) -> WebhookVerifier {
        let keys = keys ?? [key]
        let isPublic = secretForm == "whpk"
        let scheme: WebhookScheme =
            switch scheme {
            case "standard-webhooks":
                .standardWebhooks(sharedKeys: isPublic ? [] : keys, publicKeys: isPublic ? keys : [])
            case "svix": .svix(sharedKeys: isPublic ? [] : keys, publicKeys: isPublic ? keys : [])
            case "github": .github(secrets: keys)
            case "stripe": .stripe(secrets: keys)
            case "slack": .slack(secrets: keys)
            case "inkbox": .inkbox(secrets: keys)
            case "shopify": .shopify(secrets: keys)
            case "gitlab": .gitlab(tokens: keys)
            case "twilio": .twilio(secrets: keys)
            case "discord": .discord(publicKeys: keys)
            default: .all([])
            }
        return WebhookVerifier(scheme, cryptography: OpenSSLWebhookCryptography())
    }

    /// Whether the sender signs the moment too.
    var isTimed: Bool { ["standard-webhooks", "svix", "stripe", "slack", "inkbox", "discord"].contains(scheme) }
}

extension WebhookVerdict {
    var isGenuine: Bool { if case .genuine = self { true } else { false } }
    var refusal: WebhookRefusal? { if case .refused(let why) = self { why } else { nil } }
}
