internal import TLS
internal import TunnelDomain
internal import TunnelWire

/// What an agent does with requests and responses on their way, beside carrying them. Nothing by default, which costs nothing.
public struct AgentRules: Sendable, Hashable {
    /// What the target sees as its Host.
    public var hostHeader = AgentHostHeader.rewrite
    /// What a third party gets whose address is not allowed; nil for the agent's own notice, with status 403.
    public var refusal: AgentRefusal?

    var requestFields = FieldEdits(.request)
    var responseFields = FieldEdits(.response)
    private var admission = AdmissionRules()

    /// No rules.
    public init() {}

    // MARK: Fields

    /// Takes every field of this name out of requests, before anything is added.
    ///
    /// - Throws: ``AgentRuleError`` for a name that HTTP does not allow, or that belongs to the connection or the tunnel.
    public mutating func removeRequestField(_ name: String) throws(AgentRuleError) {
        do { try requestFields.remove(name) } catch { throw AgentRuleError(error.explanation) }
    }

    /// Adds a field to requests; one of the same name that the third party sent stays unless it is removed as well.
    ///
    /// - Throws: ``AgentRuleError``, as for removing, and for a value that cannot stand in a field.
    public mutating func addRequestField(_ name: String, _ value: String) throws(AgentRuleError) {
        do { try requestFields.add(name, value) } catch { throw AgentRuleError(error.explanation) }
    }

    /// Takes every field of this name out of responses, before anything is added.
    ///
    /// - Throws: ``AgentRuleError`` for a name that HTTP does not allow, or that belongs to the connection or the tunnel.
    public mutating func removeResponseField(_ name: String) throws(AgentRuleError) {
        do { try responseFields.remove(name) } catch { throw AgentRuleError(error.explanation) }
    }

    /// Adds a field to responses; one of the same name that the local program sent stays unless it is removed as well.
    ///
    /// - Throws: ``AgentRuleError``, as for removing, and for a value that cannot stand in a field.
    public mutating func addResponseField(_ name: String, _ value: String) throws(AgentRuleError) {
        do { try responseFields.add(name, value) } catch { throw AgentRuleError(error.explanation) }
    }

    // MARK: Admission

    /// Lets third parties of these addresses pass; from the first call on nobody else does.
    ///
    /// - Parameter range: an address or a range, `192.0.2.0/24` or `2001:db8::/32`, compared with what the service says of the
    ///   third party (`inkbox-forwarded-for`).
    /// - Throws: ``AgentRuleError`` when it is neither.
    public mutating func allow(addresses range: String) throws(AgentRuleError) {
        guard let parsed = IPRange(range) else {
            throw AgentRuleError(
                "\"\(range)\" is no address and no range; one looks like 192.0.2.7, 192.0.2.0/24 or 2001:db8::/32, with no "
                    + "bits set behind the prefix")
        }
        admission.addresses = (admission.addresses ?? []) + [parsed]
    }

    /// Lets whoever gives this name and password pass (HTTP Basic, RFC 7617); from the first call on nobody passes without.
    ///
    /// Only a digest is kept. The target does not get to see the `Authorization` of those who pass.
    /// - Throws: ``AgentRuleError`` for an empty password and for a name with a colon, which ends a name.
    public mutating func require(user: String, password: String) throws(AgentRuleError) {
        guard !user.contains(":") else { throw AgentRuleError("a user name has no colon") }
        guard !password.isEmpty else { throw AgentRuleError("the password of \"\(user)\" is empty") }
        admission.addDigest(SHA256.hash("\(user):\(password)"))
    }

    /// The same, by the SHA-256 of `NAME:PASSWORD` in 64 hexadecimal digits.
    ///
    /// The hash is a fast one: it keeps a long random password secret, and a short one not.
    /// - Throws: ``AgentRuleError`` when it is something else.
    public mutating func require(digest text: String) throws(AgentRuleError) {
        guard let digest = Hex.decode(text), digest.count == AdmissionRules.digestByteCount else {
            throw AgentRuleError(
                "a digest has 64 hexadecimal digits; make one with: printf %s 'NAME:PASSWORD' | sha256sum")
        }
        admission.addDigest(digest)
    }

    // MARK: For the agent itself

    /// What a third party gets that may not pass; nil for one that may.
    func refusal(of envelope: RequestEnvelope) -> AgentNotice? {
        guard !admission.isEmpty else { return nil }
        switch admission.judge(
            address: envelope.forwardedFor, envelope.fields, equal: constantTimeEquals, digest: { SHA256.hash($0) })
        {
        case .admitted: return nil
        case .addressRefused: return refusal.map { .text($0) } ?? .notice(.addressNotAllowed)
        case .credentialsMissing, .credentialsWrong: return .notice(.passwordNeeded)
        }
    }

    /// A request's trailers as the target gets them, or nil: fields that are taken out are not let in there either.
    func requestTrailers(_ trailers: HTTPFields?) -> HTTPFields? {
        TrailerFields.toAgent(trailers).flatMap { requestFields.removal(from: $0) }
    }

    /// The target's trailers as they go to the third party, or nil.
    func responseTrailers(_ trailers: HTTPFields?) -> HTTPFields? {
        TrailerFields.toThirdParty(trailers).flatMap { responseFields.removal(from: $0) }
    }

    /// The third party's fields as the target gets them.
    func requestFields(of envelope: RequestEnvelope) -> HTTPFields {
        // The password is for the agent: the program behind it has no use for it. One that the rules add is for the program.
        let hidden = admission.digests.isEmpty ? envelope.fields : envelope.fields.without(.authorization)
        return requestFields.applied(to: hidden)
    }
}

/// What the target sees as its Host.
public struct AgentHostHeader: Sendable, Hashable {
    enum Choice: Hashable { case rewrite, preserve, fixed(String) }
    let choice: Choice

    /// The target's own address, such as `localhost:3000`: what most local programs expect.
    public static let rewrite = AgentHostHeader(choice: .rewrite)
    /// The public host that the third party called.
    public static let preserve = AgentHostHeader(choice: .preserve)

    /// A fixed value.
    ///
    /// - Throws: ``AgentRuleError`` when it is no host, with or without a port.
    public static func fixed(_ value: String) throws(AgentRuleError) -> AgentHostHeader {
        guard (try? HostAndPort(parsing: Array(value.utf8).span)) != nil else {
            throw AgentRuleError(
                "\"\(value)\" is no value for the Host field; give rewrite, preserve, or a host "
                    + "such as app.internal or localhost:3000"
            )
        }
        return AgentHostHeader(choice: .fixed(value))
    }

    private init(choice: Choice) { self.choice = choice }

    /// Reads `rewrite`, `preserve` or a host.
    ///
    /// - Throws: ``AgentRuleError`` when it is none of them.
    public init(validating text: String) throws(AgentRuleError) {
        switch text {
        case "rewrite": self = .rewrite
        case "preserve": self = .preserve
        default: self = try .fixed(text)
        }
    }
}

/// A plain answer for those who may not pass.
public struct AgentRefusal: Sendable, Hashable {
    /// 400...499.
    public let status: Int
    /// Sent as `text/plain`.
    public let text: String

    /// - Throws: ``AgentRuleError`` for another status than 400 to 499.
    public init(status: Int, text: String) throws(AgentRuleError) {
        guard (400...499).contains(status) else { throw AgentRuleError("a refusal's status is 400 to 499") }
        self.status = status
        self.text = text
    }
}

/// Why a rule cannot be; its description says what is wrong and what to write.
public struct AgentRuleError: Error, Sendable, Hashable, CustomStringConvertible {
    public let description: String

    init(_ description: String) { self.description = description }
}
