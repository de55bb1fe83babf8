import LinuxIO
import TunnelWire

/// Reads what is done for an event.
struct ActionReader {
    let secrets: SecretReader

    private static let searchPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

    func read(_ reader: ConfigReader) -> ActionConfig? {
        guard case .object = reader.value else {
            reader.complain("an object such as {\"exec\": [\"/usr/local/bin/deploy\"]} is needed")
            return nil
        }
        let kinds = ["exec", "http", "rpc", "culvert"].filter { reader.member($0) != nil }
        guard kinds.count == 1 else {
            reader.complain("an action has exactly one of exec, http, rpc and culvert")
            return nil
        }
        switch kinds[0] {
        case "exec": return exec(reader).map { .exec($0) }
        case "http": return reader.member("http").flatMap(forward).map { .http($0) }
        case "rpc": return reader.member("rpc").flatMap(rpc)
        default: return reader.member("culvert").flatMap(control).map { .culvert($0) }
        }
    }

    private func exec(_ reader: ConfigReader) -> ExecConfig? {
        reader.isObject(of: ["exec", "env", "directory", "user", "outputBytes", "finalExitCodes", "killGraceSeconds"])
        guard let list = reader.member("exec"), let command = command(list) else { return nil }
        let user = reader.member("user")
        if let name = user?.nonemptyString, ChildUser(named: name) == nil {
            user?.complain("this machine has no user “\(name)”")
        }
        let codes = reader.member("finalExitCodes")?.elements.compactMap { $0.integer(in: 1...255) } ?? []
        return ExecConfig(
            command: command, environment: (reader.member("env")?.members ?? []).compactMap(variable),
            directory: reader.member("directory")?.nonemptyString.map(secrets.absolute), user: user?.string,
            outputByteCountMax: outputByteCountMax(reader),
            finalExitCodes: codes,
            killGrace: .seconds(reader.member("killGraceSeconds")?.integer(in: 0...300, unit: "seconds") ?? 5))
    }

    /// The program's file and its arguments; a shell never reads them.
    private func command(_ reader: ConfigReader) -> [String]? {
        if case .string = reader.value {
            reader.complain("a command is an array of its words, which no shell takes apart: [\"/bin/echo\", \"hello\"]")
            return nil
        }
        let words = reader.strings
        guard let first = words.first, words.count == reader.elements.count else {
            if reader.elements.isEmpty { reader.complain("the command is empty") }
            return nil
        }
        let name = first.contains("/") ? secrets.absolute(first) : first
        guard let file = ChildCommand.file(of: name, in: Self.searchPath) else {
            reader.complain("there is no program “\(first)” that can be started; give its whole path")
            return nil
        }
        if let place = words.firstIndex(where: { $0.utf8.contains(0) }) { reader.complain("word \(place) has a NUL in it") }
        return [file] + words.dropFirst()
    }

    private func variable(_ name: String, _ reader: ConfigReader) -> (name: String, source: ValueSource)? {
        let isName =
            !name.isEmpty && name.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || $0 == 0x5F }
        if !isName { reader.complain("a variable's name has capitals, digits and underscores") }
        return value(reader).map { (name, $0) }
    }

    /// A text, or a place in the event.
    private func value(_ reader: ConfigReader) -> ValueSource? {
        if case .string(let text) = reader.value { return .fixed(text) }
        guard reader.isObject(of: ["json", "header", "query"]) else { return nil }
        guard let source = FilterReader.source(reader) else {
            reader.complain("a text, or one of “json”, “header” and “query” is needed")
            return nil
        }
        return .event(source)
    }

    private func forward(_ reader: ConfigReader) -> ForwardConfig? {
        guard reader.isObject(of: ["url", "headers", "forward", "sign", "allowPrivate", "caFile", "outputBytes"]),
            let member = reader.required("url"), let text = member.nonemptyString
        else { return nil }
        let url: WebhookURL
        do { url = try WebhookURL(parsing: text) } catch {
            member.complain("“\(text)” is no URL that can be called: \(error)")
            return nil
        }
        let fixed = (reader.member("headers")?.members ?? []).compactMap { name, reader -> (name: String, value: String)? in
            guard HTTPSyntax.isToken(Array(name.utf8).span) else {
                reader.complain("“\(name)” is no name of a header field")
                return nil
            }
            guard isOwnField(name.lowercased(), reader) else { return nil }
            guard let value = reader.string, HTTPSyntax.isFieldValue(Array(value.utf8).span) else {
                reader.complain("this cannot stand in a header field")
                return nil
            }
            return (name.lowercased(), value)
        }
        var signing: WebhookScheme?
        if let sign = reader.member("sign") {
            guard let result = VerifyReader(secrets: secrets).read(sign) else { return nil }
            signing = result.scheme
        }
        let forwarded = (reader.member("forward")?.elements ?? []).compactMap { reader -> String? in
            guard let name = reader.fieldName, isOwnField(name, reader) else { return nil }
            return name
        }
        return ForwardConfig(
            url: url, fields: forwarded, fixedFields: fixed,
            signing: signing, allowsPrivate: reader.member("allowPrivate")?.bool ?? false,
            caFile: reader.member("caFile")?.nonemptyString.map(secrets.absolute),
            outputByteCountMax: outputByteCountMax(reader))
    }

    /// Bytes that the history keeps of what a program writes or a receiver answers.
    private func outputByteCountMax(_ reader: ConfigReader) -> Int {
        reader.member("outputBytes")?.integer(in: ExecConfig.outputByteCounts, unit: "bytes")
            ?? ExecConfig.outputByteCountMaxDefault
    }

    /// Whether the field is the message's and not the connection's, which has its own (RFC 9110 §7.6.1, RFC 9112 §6).
    private func isOwnField(_ name: String, _ reader: ConfigReader) -> Bool {
        let isOwn = !Self.connectionFields.contains(name)
        if !isOwn { reader.complain("“\(name)” belongs to the connection; the receiver gets its own") }
        return isOwn
    }

    private static let connectionFields: Set<String> = [
        "connection", "content-length", "expect", "host", "keep-alive", "proxy-authorization", "proxy-connection", "te",
        "trailer", "transfer-encoding", "upgrade",
    ]

    private func rpc(_ reader: ConfigReader) -> ActionConfig? {
        guard reader.isObject(of: ["command", "env", "directory", "socket", "method", "notify"]),
            let method = reader.required("method")?.nonemptyString
        else { return nil }
        let isNotification = reader.member("notify")?.bool ?? false
        switch (reader.member("command"), reader.member("socket")) {
        case (let list?, nil):
            guard let command = command(list) else { return nil }
            let environment = (reader.member("env")?.members ?? []).compactMap { name, reader in
                reader.string.map { (name: name, value: $0) }
            }
            return .rpc(
                RPCConfig(
                    command: command, environment: environment,
                    directory: reader.member("directory")?.nonemptyString.map(secrets.absolute), method: method,
                    isNotification: isNotification))
        case (nil, let place?):
            for name in ["env", "directory"] {
                reader.member(name)?.complain("“\(name)” is for a program that is started here, not for one at a socket")
            }
            guard let path = place.nonemptyString.map(secrets.absolute) else { return nil }
            guard path.utf8.count <= SocketConfig.pathByteCountMax else {
                let most = SocketConfig.pathByteCountMax
                place.complain("\(path) is longer than the \(most) bytes that a socket's path may have")
                return nil
            }
            return .socket(SocketConfig(path: path, method: method, isNotification: isNotification))
        case (_?, _?), (nil, nil):
            reader.complain("exactly one of “command” and “socket” says which program is called")
            return nil
        }
    }

    private func control(_ reader: ConfigReader) -> ControlConfig? {
        guard reader.isObject(of: ["do", "subject", "server", "apiKey", "caFile", "secretFile"]),
            let act = reader.required("do")?.word(ControlConfig.Act.self),
            let subject = reader.required("subject").flatMap(value), let server = reader.required("server")?.nonemptyString,
            let key = reader.required("apiKey").flatMap(secrets.text)
        else { return nil }
        let file = reader.member("secretFile")?.nonemptyString.map(secrets.absolute)
        switch act {
        case .rotateConnectSecret, .rotateSigningKey:
            if file == nil { reader.complain("“secretFile” is missing: the new secret is shown once and has to go somewhere") }
        case .restoreTunnel, .deleteTunnel, .revokeAPIKey, .deleteIdentity: break
        }
        return ControlConfig(
            act: act, subject: subject, server: server, apiKey: key,
            caFile: reader.member("caFile")?.nonemptyString.map(secrets.absolute), secretFile: file)
    }
}
