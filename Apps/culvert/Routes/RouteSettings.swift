internal import TunnelAgent
internal import TunnelProfile

/// One public name and what answers under it: what a command line or an entry of a file says.
struct RouteSettings: Sendable, Hashable {
    /// The tunnel's name; nil has one made up and remembered for the target.
    var name: String?
    var target: AgentTarget
    var policy = TargetAddressPolicy.loopbackOnly
    var poolSize: Int?
    /// Serve beside other agents of the tunnel that say so too.
    var isShared = false
    var rules = AgentRules()
    var ending = Ending.server

    /// Who ends the TLS of third parties.
    enum Ending: Sendable, Hashable {
        /// The service, in edge mode.
        case server
        /// This program.
        case agent
        /// The target, a TLS server of its own.
        case target
    }

    var work: AgentWork {
        switch ending {
        case .server, .agent: .target(target, policy)
        case .target: .tlsTarget(target, policy)
        }
    }

    /// Where requests or connections go, for people and programs.
    var destination: String {
        switch (ending, target.endpoint) {
        case (.server, _), (.agent, _), (.target, .unixSocket): target.description
        case (.target, .tcp): target.authority
        }
    }
}

extension RouteSettings {
    /// What `culvert http` was told.
    init(_ words: ParsedWords) throws(Complaint) {
        self.init(target: try Self.target(words.arguments[0]))
        try take(words)
    }

    /// What `culvert tls` was told.
    init(tls words: ParsedWords) throws(Complaint) {
        switch (words.arguments.first, words.value("--tls-passthrough-to")) {
        case (let text?, nil): self.init(target: try Self.target(text), ending: .agent)
        case (nil, let text?):
            self.init(target: try Self.target(text), ending: .target)
            try checkServer(given: text)
            try checkRules(words)
        case (nil, nil):
            throw Complaint(
                "nothing is said about where connections go",
                advice: "Give a local HTTP server (culvert tls 3000), or a local TLS server "
                    + "(culvert tls --tls-passthrough-to 127.0.0.1:8443).", exitCode: .usage)
        case (.some, .some):
            throw Complaint(
                "both TARGET and --tls-passthrough-to are given",
                advice: "With TARGET this program ends TLS, with --tls-passthrough-to your own server does. Give one of them.",
                exitCode: .usage)
        }
        try take(words)
    }

    private static func target(_ text: String) throws(Complaint) -> AgentTarget {
        do { return try AgentTarget(validating: text) } catch {
            throw Complaint(Printable.text(error.description, characterCountMax: 400), exitCode: .usage)
        }
    }

    /// What both commands take.
    private mutating func take(_ words: ParsedWords) throws(Complaint) {
        name = try words.value("--name").map { text throws(Complaint) in try TunnelArgument.name(text) }
        policy = words.has("--allow-remote") ? .anywhere : .loopbackOnly
        poolSize = try TunnelArgument.poolSize(words.value("--pool-size"))
        isShared = words.has("--shared")
        rules = try Self.rules(words)
        do { try policy.check(target) } catch { throw Complaint(error.description, exitCode: .usage) }
    }

    /// A TLS server as people write it; a port and no path.
    private func checkServer(given text: String) throws(Complaint) {
        if case .tcp(_, 80) = target.endpoint, !text.hasSuffix(":80") {
            throw Complaint(
                "--tls-passthrough-to has no port", advice: "Give host and port, such as 127.0.0.1:8443.", exitCode: .usage)
        }
        guard target.version == .http1 else {
            throw Complaint(
                "--tls-passthrough-to has a scheme", advice: "Give host and port only, such as 127.0.0.1:8443.",
                exitCode: .usage)
        }
        guard target.pathPrefix.isEmpty else {
            throw Complaint(
                "--tls-passthrough-to has a path", advice: "Bytes have no path: give host and port only.", exitCode: .usage)
        }
    }

    /// Whoever cannot read a connection cannot change what is in it.
    private func checkRules(_ words: ParsedWords) throws(Complaint) {
        let impossible = [
            "--host-header", "--request-header", "--remove-request-header", "--response-header", "--remove-response-header",
            "--basic-auth-file",
        ]
        guard let option = impossible.first(where: { words.value($0) != nil || !words.all($0).isEmpty }) else { return }
        throw Complaint(
            "\(option) cannot be kept with --tls-passthrough-to: this program does not read the connections",
            advice: "Let your TLS server do it, or let this program end TLS: culvert tls TARGET. --allow-from works with both.",
            exitCode: .usage)
    }

    private static func rules(_ words: ParsedWords) throws(Complaint) -> AgentRules {
        var rules = AgentRules()
        do {
            if let host = words.value("--host-header") { rules.hostHeader = try AgentHostHeader(validating: host) }
            for name in words.all("--remove-request-header") { try rules.removeRequestField(name) }
            for name in words.all("--remove-response-header") { try rules.removeResponseField(name) }
            for range in words.all("--allow-from") { try rules.allow(addresses: range) }
            for text in words.all("--request-header") {
                let field = try FieldText(text, option: "--request-header")
                try rules.addRequestField(field.name, field.value)
            }
            for text in words.all("--response-header") {
                let field = try FieldText(text, option: "--response-header")
                try rules.addResponseField(field.name, field.value)
            }
            if let file = words.value("--basic-auth-file") { try PasswordFile.read(file, into: &rules) }
        } catch let error as AgentRuleError {
            throw Complaint(Printable.text(error.description, characterCountMax: 400), exitCode: .usage)
        } catch let complaint as Complaint {
            throw complaint
        } catch {
            throw Complaint("\(error)", exitCode: .usage)
        }
        return rules
    }
}

/// `NAME: VALUE`, as a header field is written.
private struct FieldText {
    var name: String
    var value: String

    init(_ text: String, option: String) throws(Complaint) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2 else {
            throw Complaint(
                "\(option) needs a name and a value", advice: "Write them as in \(option) 'X-Env: staging'.", exitCode: .usage)
        }
        name = String(parts[0])
        value = String(parts[1].drop { $0 == " " })
    }
}

/// Names and passwords, one pair a line: `NAME:PASSWORD`, or `sha256:` and the digest of `NAME:PASSWORD`.
enum PasswordFile {
    private static let digestMark = "sha256:"

    static func read(_ path: String, into rules: inout AgentRules) throws(Complaint) {
        let text = String(decoding: try complaining(PrivateFile.readForeign(path)), as: UTF8.self)
        var count = 0
        for (index, line) in text.split(whereSeparator: \.isNewline).enumerated() where !line.hasPrefix("#") {
            do throws(AgentRuleError) {
                try add(String(line), to: &rules)
                count += 1
            } catch {
                // The line itself is not told: it holds a password.
                throw Complaint(
                    "\(Printable.text(path)), entry \(index + 1): \(error)",
                    advice: "Each line is NAME:PASSWORD, or sha256: and the digest that printf %s 'NAME:PASSWORD' | sha256sum "
                        + "prints.", exitCode: .usage)
            }
        }
        guard count > 0 else {
            throw Complaint(
                "\(Printable.text(path)) holds no name and password", advice: "Write one NAME:PASSWORD a line.",
                exitCode: .usage)
        }
    }

    private static func add(_ line: String, to rules: inout AgentRules) throws(AgentRuleError) {
        if line.hasPrefix(digestMark) { return try rules.require(digest: String(line.dropFirst(digestMark.count))) }
        let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        try rules.require(user: String(parts[0]), password: parts.count == 2 ? String(parts[1]) : "")
    }
}
