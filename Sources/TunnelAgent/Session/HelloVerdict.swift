internal import FoundationEssentials

/// What the answer to hello means to the agent (data plane §2).
enum HelloVerdict: Equatable {
    case connected(HelloGrant)
    /// The server will never accept this hello.
    case refused(status: Int, reason: String)
    /// A later hello for the same tunnel won.
    case superseded
    /// Worth another try, after the pause that the server asks for, if it does.
    case transient(reason: String, retryAfterSeconds: Int?)

    /// - Parameters:
    ///   - body: what came of the body, cut at ``bodyByteCountMax``.
    ///   - retryAfter: the `retry-after` field.
    init(status: Int, body: [UInt8], retryAfter: String?) {
        let document = try? JSONDecoder().decode(HelloDocument.self, from: Data(body))
        switch status {
        case 200:
            if let grant = document.flatMap(HelloGrant.init) {
                self = .connected(grant)
            } else {
                self = .transient(reason: "the server's answer to hello has no owner token", retryAfterSeconds: nil)
            }
        case 401, 403:
            self = .refused(status: status, reason: document?.explanation ?? "the credential is wrong, or not for this tunnel")
        case 409 where document?.reason == "hello-superseded":
            self = .superseded
        default:
            let seconds = retryAfter.flatMap { Int($0) }.flatMap { (0...Self.retryAfterSecondsMax).contains($0) ? $0 : nil }
            let why = document?.explanation.map { ": \($0)" } ?? ""
            self = .transient(reason: "the server answered hello with \(status)\(why)", retryAfterSeconds: seconds)
        }
    }

    /// More of a hello's answer is not kept.
    static let bodyByteCountMax = 16 * 1024
    /// A longer pause than this is not obeyed.
    static let retryAfterSecondsMax = 300
}

/// What the server grants to a connected agent.
struct HelloGrant: Equatable {
    var ownerToken: String
    /// Intakes to park, 1...32.
    var poolSize: Int
    /// How long the server waits for a response to begin.
    var responseDeadlineSeconds: Int
    /// Features that the server names (data plane §10).
    var features: [String]
    /// The agents that serve the tunnel, this one included; said where it may be shared.
    var servingAgentCount: Int?
}

private struct HelloDocument: Decodable {
    var ownerToken: String?
    var defaultPoolSize: Int?
    var responseDeadlineSeconds: Double?
    var features: [String]?
    var servingAgents: Int?
    var reason: String?
    var detail: String?

    /// The server's sentence for people, without control characters: it ends up on a terminal.
    var explanation: String? {
        guard let text = detail ?? reason else { return nil }
        return String(String.UnicodeScalarView(text.unicodeScalars.prefix(300).filter { $0.value >= 0x20 && $0.value != 0x7F }))
    }

    private enum CodingKeys: String, CodingKey {
        case features, reason, detail
        case ownerToken = "owner_token"
        case defaultPoolSize = "default_pool_size"
        case responseDeadlineSeconds = "response_deadline_seconds"
        case servingAgents = "serving_agents"
    }

    init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: CodingKeys.self)
        ownerToken = try? members.decodeIfPresent(String.self, forKey: .ownerToken)
        defaultPoolSize = try? members.decodeIfPresent(Int.self, forKey: .defaultPoolSize)
        responseDeadlineSeconds = try? members.decodeIfPresent(Double.self, forKey: .responseDeadlineSeconds)
        features = try? members.decodeIfPresent([String].self, forKey: .features)
        servingAgents = try? members.decodeIfPresent(Int.self, forKey: .servingAgents)
        reason = try? members.decodeIfPresent(String.self, forKey: .reason)
        detail = try? members.decodeIfPresent(String.self, forKey: .detail)
    }
}

extension HelloGrant {
    fileprivate init?(_ document: HelloDocument) {
        guard let token = document.ownerToken, !token.isEmpty, token.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            return nil
        }
        ownerToken = token
        let sizes = AgentLimits.poolSizes
        poolSize = min(max(document.defaultPoolSize ?? 8, sizes.lowerBound), sizes.upperBound)
        responseDeadlineSeconds = Int(min(max(document.responseDeadlineSeconds ?? 60, 1), 3_600))
        features = document.features ?? []
        servingAgentCount = document.servingAgents
    }
}
