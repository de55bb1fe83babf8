import Foundation
import HTTPTransport
import LinuxIO
import SystemClock
import TLS
import TunnelDomain
import TunnelWire

/// `culvert-hook send`: makes an event that is signed as its sender signs, and sends it.
struct Send {
    private let flags: Flags
    private let environment: [String: String]

    init(_ words: [String], _ environment: [String: String]) throws {
        flags = try Flags(
            words, values: ["--as", "--config", "--url", "--id", "--secret-file", "--header", "--content-type", "--ca-file"],
            switches: ["--print"])
        self.environment = environment
    }

    func run() async throws -> ExitCode {
        guard let name = flags.values["--as"] else {
            throw Complaint(
                "as whom?", advice: "Give --as ROUTE with --config FILE, or --as github with --secret-file FILE.",
                exitCode: .usage)
        }
        guard let text = flags.values["--url"], let url = try? WebhookURL(parsing: text) else {
            throw Complaint(
                "--url is missing or no URL", advice: "One looks like http://127.0.0.1:9000/github.", exitCode: .usage)
        }
        let file = try flags.onlyArgument("PAYLOAD-FILE")
        guard
            let payload = file == "-"
                ? FileHandle.standardInput.readDataToEndOfFile() : FileManager.default.contents(atPath: file)
        else { throw Complaint("\(file) cannot be read") }
        let (scheme, seed, origin) = try sender(name)
        let id = flags.values["--id"] ?? UUID().uuidString.lowercased()
        let type = flags.values["--content-type"] ?? "application/json"
        var fields = [WebhookField("content-type", type)] + (Self.usualFields[scheme.name] ?? [])
        if let header = flags.values["--header"], let colon = header.firstIndex(of: ":") {
            let value = header[header.index(after: colon)...].drop { $0 == " " }
            fields.removeAll { $0.name == header[..<colon].lowercased() }
            fields.append(WebhookField(header[..<colon].lowercased(), String(value)))
        }
        let request = WebhookRequest(
            method: "POST", target: url.target, origin: origin ?? url.origin, fields: fields, body: Array(payload),
            address: "", receivedAt: SystemWallClock().now)
        do {
            fields += try WebhookSigner(cryptography: OpenSSLWebhookCryptography()).fields(
                for: request, by: scheme, id: id, seed: seed)
        } catch { throw Complaint("it cannot be signed: \(error)", exitCode: .usage) }
        if flags.switches.contains("--print") {
            for field in fields { Output.print("\(field.name): \(field.value)") }
            return .success
        }
        return try await send(request, fields, to: url)
    }

    /// What these senders say beside the signature; `--header` says something else.
    private static let usualFields: [String: [WebhookField]] = [
        "github": [WebhookField("x-github-event", "push"), WebhookField("user-agent", "GitHub-Hookshot/culvert-hook")],
        "gitlab": [WebhookField("x-gitlab-event", "Push Hook")], "shopify": [WebhookField("x-shopify-topic", "orders/create")],
    ]

    /// A route of the configuration, or a preset with a secret from a file.
    private func sender(_ name: String) throws -> (WebhookScheme, [UInt8]?, String?) {
        if let file = flags.values["--config"] {
            let config = try HookConfig.load(file, environment: environment)
            guard let route = config.routes.first(where: { $0.name == name || $0.scheme.name == name }) else {
                throw Complaint("\(file) has no route “\(name)”", exitCode: .usage)
            }
            return (route.scheme, route.signingSeed, route.origin)
        }
        guard let path = flags.values["--secret-file"], let data = FileManager.default.contents(atPath: path) else {
            throw Complaint("the secret is missing", advice: "Give --config FILE, or --secret-file FILE.", exitCode: .usage)
        }
        let text = String(decoding: data, as: UTF8.self).trimmingCharacters(in: .newlines)
        func key(_ form: WebhookSecretForm) throws -> [UInt8] {
            guard let bytes = form.bytes(of: text) else {
                throw Complaint("\(path) holds no secret of this sender's form", exitCode: .usage)
            }
            return bytes
        }
        return switch name {
        case "standard-webhooks", "culvert": (.standardWebhooks(sharedKeys: [try key(.whsec)], publicKeys: []), nil, nil)
        case "svix": (.svix(sharedKeys: [try key(.whsec)], publicKeys: []), nil, nil)
        case "github": (.github(secrets: [try key(.text)]), nil, nil)
        case "stripe": (.stripe(secrets: [try key(.text)]), nil, nil)
        case "slack": (.slack(secrets: [try key(.text)]), nil, nil)
        case "inkbox": (.inkbox(secrets: [try key(.inkbox)]), nil, nil)
        case "shopify": (.shopify(secrets: [try key(.text)]), nil, nil)
        case "gitlab": (.gitlab(tokens: [try key(.text)]), nil, nil)
        case "twilio": (.twilio(secrets: [try key(.text)]), nil, nil)
        case "discord": (.discord(publicKeys: []), try key(.whsk), nil)
        case "bearer": (.bearer(tokens: [try key(.text)]), nil, nil)
        case "basic": (.basic(credentials: [try key(.text)]), nil, nil)
        default: throw Complaint("“\(name)” is no sender that needs no configuration", exitCode: .usage)
        }
    }

    private func send(_ request: WebhookRequest, _ fields: [WebhookField], to url: WebhookURL) async throws -> ExitCode {
        let sender = EventSender(url: url, caFile: flags.values["--ca-file"])
        let response = try await sender.send(fields, request.body)
        let status = response.head.status
        let event = response.head.fields.pairs.first { $0.name == "x-hook-event-id" }
        Output.print("HTTP \(status)\(event.map { ", event \($0.value)" } ?? "")")
        let body = HistoryText.printable(String(decoding: response.body, as: UTF8.self), lines: true)
        if !body.isEmpty { Output.print(body) }
        if let hint = Self.hints[status] { Output.note(hint) }
        return (200...299).contains(status) ? .success : .failure
    }

    private static let hints = [
        401: "The secret is another one than the listener's, or the clocks differ; its log line “webhook.refused” says why.",
        404: "No route of the listener has this path; “path” in its file says which it has.",
        405: "The route does not take POST; “methods” in its file says what it takes.",
        413: "The payload is longer than “limits.bodyBytes” of the listener.",
        502: "The action failed, or no listener is behind the tunnel; “culvert-hook runs list” says more.",
        503: "The inbox is full or cannot be written; the listener's log says which.",
    ]
}
