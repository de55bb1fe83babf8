internal import TunnelAgent
internal import TunnelProfile
internal import TunnelWire

/// The file of `culvert run`: several routes, and the server if it is not the one logged in to.
struct RouteFile: Sendable {
    /// What decides about the connection; each may be given on the command line or in the environment instead.
    struct Connection: Sendable, Hashable {
        var server: String?
        var apiKeyFile: String?
        var caFile: String?
        var edge: String?
    }

    static let byteCountMax = 1 << 20
    static let routesMax = 256

    var connection: Connection
    var routes: [RouteSettings]

    /// Reads and checks a file.
    ///
    /// - Throws: a complaint that tells every mistake with its place.
    static func load(_ path: String) throws(Complaint) -> RouteFile {
        let bytes = try complaining(PrivateFile.readForeign(path))
        let mistakes: [ConfigMistake]
        switch RouteFileReader.read(bytes, path: path) {
        case .file(let file): return file
        case .mistakes(let found): mistakes = found
        }
        let lines = mistakes.map { "\(path):\($0.line):\($0.column): \($0.pointer): \($0.text)" }
        throw Complaint(
            "the routes cannot be used\n" + lines.map { Printable.text($0, characterCountMax: 600) }.joined(separator: "\n"),
            advice: "Docs/culvert-run.schema.json describes the file; \"culvert check FILE\" checks it.", exitCode: .usage)
    }
}

/// Reads a file of routes and notes all that is wrong with it.
struct RouteFileReader {
    enum Outcome {
        case file(RouteFile)
        case mistakes([ConfigMistake])
    }

    /// Where relative paths start: the file's own folder.
    private let folder: String

    static func read(_ bytes: [UInt8], path: String) -> Outcome {
        let value: JSONValue
        do { value = try JSONValue(parsing: bytes) } catch {
            return .mistakes([ConfigMistake(pointer: "/", line: error.line, column: error.column, text: error.reason)])
        }
        let mistakes = ConfigReader.Mistakes(places: JSONPlaces(bytes: bytes))
        let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        let file = RouteFileReader(folder: folder).file(
            ConfigReader(value: value, pointer: JSONPointer(tokens: []), mistakes: mistakes))
        guard mistakes.all.isEmpty, let file else {
            return .mistakes(mistakes.all.sorted { ($0.line, $0.column) < ($1.line, $1.column) })
        }
        return .file(file)
    }

    private func absolute(_ path: String) -> String { path.hasPrefix("/") || path == "-" ? path : folder + "/" + path }

    private func file(_ reader: ConfigReader) -> RouteFile? {
        guard reader.isObject(of: ["$schema", "server", "apiKeyFile", "caFile", "edge", "routes"]) else { return nil }
        let connection = RouteFile.Connection(
            server: reader.member("server")?.nonemptyString,
            apiKeyFile: (reader.member("apiKeyFile")?.nonemptyString).map(absolute),
            caFile: (reader.member("caFile")?.nonemptyString).map(absolute), edge: reader.member("edge")?.nonemptyString)
        guard let list = reader.required("routes") else { return nil }
        let elements = list.elements
        if case .array = list.value, !(1...RouteFile.routesMax).contains(elements.count) {
            list.complain("a file has 1 to \(RouteFile.routesMax) routes")
        }
        var names: Set<String> = []
        let routes = elements.compactMap { element -> RouteSettings? in
            guard let route = route(element), let name = route.name else { return nil }
            if !names.insert(name).inserted { element.member("name")?.complain("another route is called “\(name)” too") }
            return route
        }
        return RouteFile(connection: connection, routes: routes)
    }

    private static let routeNames = [
        "name", "target", "allowRemote", "poolSize", "shared", "hostHeader", "request", "response", "allowFrom", "refused",
        "basicAuth",
    ]

    private func route(_ reader: ConfigReader) -> RouteSettings? {
        guard reader.isObject(of: Self.routeNames) else { return nil }
        let name = reader.required("name").flatMap(name)
        let target = reader.required("target").flatMap(target)
        let policy: TargetAddressPolicy = reader.member("allowRemote")?.bool ?? false ? .anywhere : .loopbackOnly
        if let target {
            do throws(TargetRefusal) { try policy.check(target) } catch {
                reader.member("target")?.complain(
                    error.description.replacing("with --allow-remote", with: "with \"allowRemote\": true"))
            }
        }
        let poolSize = reader.member("poolSize")?.integer(in: AgentLimits.poolSizes)
        var rules = AgentRules()
        if let host = reader.member("hostHeader"), let text = host.nonemptyString {
            attempt(host) { () throws(AgentRuleError) in rules.hostHeader = try AgentHostHeader(validating: text) }
        }
        if let request = reader.member("request") {
            edits(request) { name throws(AgentRuleError) in
                try rules.removeRequestField(name)
            } add: { name, value throws(AgentRuleError) in
                try rules.addRequestField(name, value)
            }
        }
        if let response = reader.member("response") {
            edits(response) { name throws(AgentRuleError) in
                try rules.removeResponseField(name)
            } add: { name, value throws(AgentRuleError) in
                try rules.addResponseField(name, value)
            }
        }
        admission(reader, &rules)
        guard let name, let target else { return nil }
        return RouteSettings(
            name: name, target: target, policy: policy, poolSize: poolSize, isShared: reader.member("shared")?.bool ?? false,
            rules: rules)
    }

    private func name(_ reader: ConfigReader) -> String? {
        guard let text = reader.nonemptyString else { return nil }
        do { return try TunnelArgument.name(text) } catch {
            reader.complain(([error.message, error.advice].filter { !$0.isEmpty }).joined(separator: ". "))
            return nil
        }
    }

    /// A port, a URL, or a Unix socket.
    private func target(_ reader: ConfigReader) -> AgentTarget? {
        let text: String
        if case .number(let digits) = reader.value {
            text = digits
        } else if let given = reader.nonemptyString {
            text = given
        } else {
            return nil
        }
        do { return try AgentTarget(validating: text) } catch {
            reader.complain(error.description)
            return nil
        }
    }

    private func edits(
        _ reader: ConfigReader, remove: (String) throws(AgentRuleError) -> Void,
        add: (String, String) throws(AgentRuleError) -> Void
    ) {
        guard reader.isObject(of: ["remove", "add"]) else { return }
        for element in reader.member("remove")?.elements ?? [] {
            guard let name = element.string else { continue }
            attempt(element) { () throws(AgentRuleError) in try remove(name) }
        }
        for (name, element) in reader.member("add")?.members ?? [] {
            guard let value = element.string else { continue }
            attempt(element) { () throws(AgentRuleError) in try add(name, value) }
        }
    }

    private func admission(_ reader: ConfigReader, _ rules: inout AgentRules) {
        if let list = reader.member("allowFrom") {
            let elements = list.elements
            if case .array = list.value, elements.isEmpty { list.complain("an empty list would let nobody in; leave it out") }
            for element in elements {
                guard let text = element.string else { continue }
                attempt(element) { () throws(AgentRuleError) in try rules.allow(addresses: text) }
            }
        }
        if let refused = reader.member("refused"), refused.isObject(of: ["status", "text"]) {
            let status = refused.member("status")?.integer(in: 400...499) ?? 403
            let text = refused.member("text")?.string ?? ""
            attempt(refused) { () throws(AgentRuleError) in rules.refusal = try AgentRefusal(status: status, text: text) }
        }
        if let list = reader.member("basicAuth") {
            let elements = list.elements
            if case .array = list.value, elements.isEmpty { list.complain("an empty list asks nobody; leave it out") }
            for element in elements { password(element, &rules) }
        }
    }

    private func password(_ reader: ConfigReader, _ rules: inout AgentRules) {
        guard reader.isObject(of: ["user", "passwordFile", "sha256"]) else { return }
        switch (reader.member("user"), reader.member("passwordFile"), reader.member("sha256")) {
        case (let user?, let file?, nil):
            guard let name = user.nonemptyString, let path = file.nonemptyString else { return }
            let line: String
            do throws(Complaint) {
                line =
                    String(decoding: try complaining(PrivateFile.readForeign(absolute(path))), as: UTF8.self)
                    .split(separator: "\n", omittingEmptySubsequences: false).first.map(String.init) ?? ""
            } catch {
                return file.complain(error.message)
            }
            attempt(user) { () throws(AgentRuleError) in try rules.require(user: name, password: line) }
        case (nil, nil, let digest?):
            guard let text = digest.nonemptyString else { return }
            attempt(digest) { () throws(AgentRuleError) in try rules.require(digest: text) }
        default:
            reader.complain("an entry has “user” and “passwordFile”, or “sha256” alone: the digest of NAME:PASSWORD")
        }
    }

    private func attempt(_ reader: ConfigReader, _ act: () throws(AgentRuleError) -> Void) {
        do throws(AgentRuleError) { try act() } catch { reader.complain(error.description) }
    }
}
