import Foundation
import LinuxIO
import TunnelDomain
import TunnelWire

/// What stands in the way of a configuration: all of it.
struct ConfigProblem: Error {
    var path: String
    var mistakes: [ConfigMistake]

    var lines: [String] {
        mistakes.map { "\(path):\($0.line):\($0.column): \($0.pointer): \($0.text)" }
    }
}

extension HookConfig {
    static let byteCountMax = 4 << 20

    /// Reads and checks a configuration file.
    static func load(_ path: String, environment: [String: String]) throws -> HookConfig {
        guard let data = FileManager.default.contents(atPath: path), data.count <= byteCountMax else {
            throw Complaint("\(path) cannot be read", advice: "Is it there? “culvert-hook init github” writes an example.")
        }
        return try parse(Array(data), path: path, environment: environment)
    }

    static func parse(_ bytes: [UInt8], path: String, environment: [String: String]) throws -> HookConfig {
        let value: JSONValue
        do { value = try JSONValue(parsing: bytes) } catch {
            throw ConfigProblem(
                path: path,
                mistakes: [ConfigMistake(pointer: "/", line: error.line, column: error.column, text: error.reason)])
        }
        let mistakes = ConfigReader.Mistakes(places: JSONPlaces(bytes: bytes))
        let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        let parser = ConfigParser(secrets: SecretReader(environment: environment, folder: folder))
        let config = parser.read(ConfigReader(value: value, pointer: JSONPointer(tokens: []), mistakes: mistakes))
        guard mistakes.all.isEmpty, let config else {
            throw ConfigProblem(path: path, mistakes: mistakes.all.sorted { ($0.line, $0.column) < ($1.line, $1.column) })
        }
        return config
    }
}

/// Reads the file's top and its routes.
private struct ConfigParser {
    let secrets: SecretReader

    private static let names = ["$schema", "listen", "tunnel", "data", "limits", "metrics", "routes"]
    private static let routeNames = [
        "name", "path", "methods", "verify", "url", "when", "action", "orderBy", "concurrency", "timeoutSeconds", "retries",
        "expireSeconds", "response",
    ]
    private static let daySeconds = 86_400

    func read(_ reader: ConfigReader) -> HookConfig? {
        guard reader.isObject(of: Self.names) else { return nil }
        let limits = reader.member("limits")
        limits?.isObject(of: [
            "events", "bytes", "bodyBytes", "receivingBytes", "retryAfterSeconds", "retentionHours", "matchSteps",
        ])
        var inbox = InboxLimits()
        if let count = limits?.member("events")?.integer(in: 1...10_000_000) { inbox.pendingEventsMax = count }
        if let count = limits?.member("bytes")?.integer(in: 1...(1 << 40)) { inbox.pendingByteCountMax = count }
        if let seconds = limits?.member("retryAfterSeconds")?.integer(in: 1...3_600, unit: "seconds") {
            inbox.retryAfterSeconds = seconds
        }
        let body = limits?.member("bodyBytes")?.integer(in: 1...(64 << 20), unit: "bytes")
        let receiving = limits?.member("receivingBytes")?.integer(in: 1...(1 << 40), unit: "bytes")
        if receiving ?? HookConfig.receivingByteCountMaxDefault < body ?? HookConfig.bodyByteCountMaxDefault {
            limits?.member("receivingBytes")?.complain("a single body of “bodyBytes” would not fit into this")
        }
        let retention = limits?.member("retentionHours")?.integer(in: 1...87_600, unit: "hours")
        let steps = limits?.member("matchSteps")?.integer(in: HookConfig.searchStepCounts, unit: "steps")
        let routes = routes(reader)
        let data = reader.required("data")?.nonemptyString
        return HookConfig(
            listen: listeners(reader.member("listen")), tunnel: reader.member("tunnel").flatMap(tunnel),
            data: secrets.absolute(data ?? "."), limits: inbox,
            bodyByteCountMax: body ?? HookConfig.bodyByteCountMaxDefault,
            receivingByteCountMax: receiving ?? HookConfig.receivingByteCountMaxDefault,
            searchStepCountMax: steps ?? HookConfig.searchStepCountMaxDefault,
            retention: .hours(Int64(retention ?? HookConfig.retentionHoursDefault)), metricsPath: metrics(reader),
            routes: routes)
    }

    private func listeners(_ reader: ConfigReader?) -> [SocketAddress] {
        (reader?.elements ?? []).compactMap { element in
            guard let text = element.string else { return nil }
            if let address = SocketAddress(text) { return address }
            element.complain("“\(text)” is no address; one looks like 127.0.0.1:9000 or [::1]:9000")
            return nil
        }
    }

    private func tunnel(_ reader: ConfigReader) -> TunnelConfig? {
        guard reader.isObject(of: ["name", "server", "apiKey", "caFile"]), let name = reader.required("name")?.nonemptyString
        else { return nil }
        return TunnelConfig(
            name: name, server: reader.member("server")?.nonemptyString, apiKey: reader.member("apiKey").flatMap(secrets.text),
            caFile: (reader.member("caFile")?.nonemptyString).map(secrets.absolute))
    }

    private func metrics(_ reader: ConfigReader) -> String? {
        guard let member = reader.member("metrics") else { return "/metrics" }
        if case .bool(false) = member.value { return nil }
        guard let path = member.string else { return nil }
        if !path.hasPrefix("/") { member.complain("a path begins with a slash") }
        return path
    }

    private func routes(_ reader: ConfigReader) -> [RouteConfig] {
        guard let list = reader.required("routes") else { return [] }
        let elements = list.elements
        if elements.isEmpty, case .array = list.value { list.complain("at least one route is needed") }
        var names: Set<String> = []
        var places: Set<String> = []
        return elements.compactMap { element in
            guard let route = route(element) else { return nil }
            if !names.insert(route.name).inserted {
                element.member("name")?.complain("another route is called “\(route.name)” too")
            }
            for method in route.methods where !places.insert("\(method) \(route.path)").inserted {
                element.member("path")?.complain("another route takes \(method) \(route.path) already")
            }
            return route
        }
    }

    private func route(_ reader: ConfigReader) -> RouteConfig? {
        guard reader.isObject(of: Self.routeNames) else { return nil }
        let name = reader.required("name").flatMap(routeName)
        let path = reader.required("path").flatMap(path)
        let methods = reader.member("methods").map(methods) ?? ["POST"]
        let verify = reader.required("verify")
        let proof = verify.flatMap { VerifyReader(secrets: secrets).read($0) }
        let action = reader.required("action").flatMap { ActionReader(secrets: secrets).read($0) }
        let filter = reader.member("when").map { FilterReader.read($0) } ?? .all([])
        let expiry = reader.member("expireSeconds")?.integer(in: 1...(365 * Self.daySeconds), unit: "seconds")
        let timeout = reader.member("timeoutSeconds")?.integer(in: 1...Self.daySeconds, unit: "seconds") ?? 300
        let concurrency = reader.member("concurrency")?.integer(in: 1...256) ?? 1
        let plan = reader.member("retries").map(retries) ?? .usual
        let response = reader.member("response").map(response) ?? ResponseReader.usual
        let orderBy = reader.member("orderBy")?.jsonPointer
        guard let name, let path, let methods, let proof, let action, let filter else { return nil }
        let tolerance = verify?.member("toleranceSeconds")?.integer(in: 1...Self.daySeconds, unit: "seconds")
        let window = verify?.member("replayWindowSeconds")?.integer(in: 1...(30 * Self.daySeconds), unit: "seconds")
        return RouteConfig(
            name: name, path: path, methods: methods, scheme: proof.scheme, signingSeed: proof.seed,
            tolerance: .seconds(tolerance ?? WebhookVerifier.toleranceSecondsDefault),
            deliveryID: verify?.member("deliveryID").map(deliveryID) ?? proof.scheme.deliveryID,
            replayWindow: window.map { .seconds($0) }, origin: reader.member("url").flatMap(origin),
            subjectField: proof.subjectField, filter: filter, action: action, orderBy: orderBy, concurrencyMax: concurrency,
            timeout: .seconds(timeout), plan: plan, expiry: expiry.map { .seconds($0) }, response: response)
    }

    private func routeName(_ reader: ConfigReader) -> String? {
        guard let text = reader.nonemptyString else { return nil }
        let isPlain = text.utf8.count <= 64 && text.utf8.allSatisfy { HTTPSyntax.isToken($0) }
        if !isPlain { reader.complain("a name has up to 64 letters, digits, hyphens and underscores") }
        return isPlain ? text : nil
    }

    private func path(_ reader: ConfigReader) -> String? {
        guard let text = reader.nonemptyString else { return nil }
        let isPath =
            text.hasPrefix("/") && HTTPSyntax.isTarget(Array(text.utf8).span) && !text.contains("?") && !text.contains("#")
        if !isPath { reader.complain("a path begins with a slash and has neither query nor blanks") }
        return isPath ? text : nil
    }

    private func methods(_ reader: ConfigReader) -> [String]? {
        let methods = reader.strings
        let known = ["GET", "POST", "PUT", "PATCH", "DELETE"]
        guard !methods.isEmpty, methods.allSatisfy({ known.contains($0) }) else {
            reader.complain("methods are \(known.joined(separator: ", "))")
            return nil
        }
        return methods
    }

    private func origin(_ reader: ConfigReader) -> String? {
        guard let text = reader.nonemptyString else { return nil }
        guard (try? WebhookURL(parsing: text))?.target == "/", !text.hasSuffix("/") else {
            reader.complain("“\(text)” is no scheme and host, such as https://hooks.example")
            return nil
        }
        return text
    }

    private func deliveryID(_ reader: ConfigReader) -> DeliveryIDPlace? {
        guard reader.isObject(of: ["header", "json"]) else { return nil }
        switch FilterReader.source(reader) {
        case .field(let name): return .field(name)
        case .json(let pointer): return .pointer(pointer.description)
        case .query, nil:
            reader.complain("a delivery's id stands in a “header” or at a “json” pointer")
            return nil
        }
    }

    private func retries(_ reader: ConfigReader) -> RetryPlan {
        let usual = RetryPlan.usual
        guard reader.isObject(of: ["attempts", "firstSeconds", "factor", "maxSeconds", "jitter"]) else { return usual }
        let attempts = reader.member("attempts")?.integer(in: RetryPlan.attemptCounts) ?? usual.attemptsMax
        let first = reader.member("firstSeconds")?.number(in: 0...86_400) ?? 2
        let longest = reader.member("maxSeconds")?.number(in: 0...86_400) ?? max(first, 300)
        let factor = reader.member("factor")?.number(in: 1...10) ?? usual.factor
        let jitter = reader.member("jitter")?.number(in: 0...1) ?? usual.jitter
        if longest < first {
            reader.member("maxSeconds")?.complain("the longest pause is shorter than the first one")
            return usual
        }
        return RetryPlan(
            attemptsMax: attempts, firstDelay: .seconds(first), factor: factor, delayMax: .seconds(longest), jitter: jitter)
    }

    private func response(_ reader: ConfigReader) -> ResponseConfig { ResponseReader.read(reader) }
}

private enum ResponseReader {
    static let usual = ResponseConfig(
        status: 202, contentType: "application/json", body: #"{"accepted":true}"#, wait: nil)

    static func read(_ reader: ConfigReader) -> ResponseConfig {
        guard reader.isObject(of: ["status", "contentType", "body", "waitSeconds"]) else { return usual }
        var response = usual
        if let status = reader.member("status")?.integer(in: 200...299) { response.status = status }
        if let type = reader.member("contentType")?.nonemptyString { response.contentType = type }
        if let body = reader.member("body")?.string { response.body = body }
        response.wait = (reader.member("waitSeconds")?.number(in: 0.001...120)).map { .seconds($0) }
        if response.status == 204 { response.body = "" }
        return response
    }
}
