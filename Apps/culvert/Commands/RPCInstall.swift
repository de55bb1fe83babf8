internal import Glibc
internal import TunnelProfile
internal import TunnelWire

/// `culvert rpc install`: the configuration by which another program starts `culvert-rpc`.
struct RPCInstall {
    /// The programs whose configuration is known, each with its file in the current folder.
    enum Client: String, CaseIterable {
        case claude, cursor, vscode

        var file: String {
            switch self {
            case .claude: ".mcp.json"
            case .cursor: ".cursor/mcp.json"
            case .vscode: ".vscode/mcp.json"
            }
        }

        /// The member of the file that holds the servers.
        var member: String {
            switch self {
            case .claude, .cursor: "mcpServers"
            case .vscode: "servers"
            }
        }
    }

    private let client: Client
    private let level: String?
    private let isWriting: Bool
    private let console: Console

    init(words: ParsedWords, console: Console) throws(Complaint) {
        guard let name = words.value("--for"), let client = Client(rawValue: name) else {
            let names = Client.allCases.map(\.rawValue).joined(separator: ", ")
            throw Complaint(UsageError(message: "--for wants one of: \(names)", command: words.command.path))
        }
        if let level = words.value("--allow"), !["read", "operate", "destroy"].contains(level) {
            throw Complaint(UsageError(message: "--allow is read, operate or destroy", command: words.command.path))
        }
        self.client = client
        level = words.value("--allow")
        isWriting = words.has("--write")
        self.console = console
    }

    func run() throws(Complaint) {
        guard isWriting else { return console.print(Self.text(Self.merged(entry, into: .object([]), client))) }
        let file = client.file
        let old = try Self.read(file)
        try Self.write(Self.text(Self.merged(entry, into: old, client)) + "\n", to: file)
        console.note("Written to \(file). Start \(client.rawValue) again in this folder to have it read.")
    }

    private var entry: JSONValue {
        let arguments = ["--mcp"] + (level.map { ["--allow", $0] } ?? [])
        return .members([
            "type": .string("stdio"), "command": .string(Self.program), "args": .array(arguments.map(JSONValue.string)),
        ])
    }

    /// The program beside this one, or its name when it must be on the path.
    private static var program: String {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink("/proc/self/exe", &buffer, buffer.count)
        guard count > 0 else { return "culvert-rpc" }
        let own = String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let beside = own[..<(own.lastIndex(of: "/") ?? own.startIndex)] + "/culvert-rpc"
        return access(String(beside), X_OK) == 0 ? String(beside) : "culvert-rpc"
    }

    /// A configuration with the entry in it, and everything else as it was.
    static func merged(_ entry: JSONValue, into old: JSONValue, _ client: Client) -> JSONValue {
        let servers = setting("culvert", entry, in: old[client.member] ?? .object([]))
        return setting(client.member, servers, in: old)
    }

    private static func setting(_ name: String, _ value: JSONValue, in object: JSONValue) -> JSONValue {
        guard case .object(var members) = object else { return .object([JSONMember(name, value)]) }
        if let index = members.firstIndex(where: { $0.name == name }) {
            members[index].value = value
        } else {
            members.append(JSONMember(name, value))
        }
        return .object(members)
    }
}

// MARK: - The file

extension RPCInstall {
    private static func read(_ file: String) throws(Complaint) -> JSONValue {
        guard access(file, F_OK) == 0 else { return .object([]) }
        let bytes = try complaining(PrivateFile.readForeign(file))
        do throws(JSONSyntaxError) {
            let value = try JSONValue(parsing: bytes)
            if case .object = value { return value }
        } catch {
            throw Complaint(
                "\(file) is not plain JSON: \(error.description)",
                advice: "Nothing was changed. Run this without --write and put what it prints there by hand.")
        }
        throw Complaint("\(file) is not a JSON object", advice: "Nothing was changed. Move it away, and run this again.")
    }

    /// Replaced as a whole or not at all, and open to whom it was open.
    private static func write(_ text: String, to file: String) throws(Complaint) {
        if let slash = file.lastIndex(of: "/") { mkdir(String(file[..<slash]), 0o755) }
        var status = stat()
        let mode = stat(file, &status) == 0 ? status.st_mode & 0o777 : 0o644
        let draft = "\(file).\(getpid()).new"
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode)
        let bytes = Array(text.utf8)
        let isWritten = descriptor >= 0 && Glibc.write(descriptor, bytes, bytes.count) == bytes.count && fsync(descriptor) == 0
        if descriptor >= 0 { close(descriptor) }
        guard isWritten, rename(draft, file) == 0 else {
            let reason = String(cString: strerror(errno))
            unlink(draft)
            throw Complaint(
                "\(file) cannot be written: \(reason)", advice: "Check the folder's permissions and the free space.")
        }
    }

    /// JSON with a line for each member, as people keep it.
    static func text(_ value: JSONValue, indent: String = "") -> String {
        let inner = indent + "  "
        switch value {
        case .object(let members) where !members.isEmpty:
            let lines = members.map { inner + plain(.string($0.name)) + ": " + text($0.value, indent: inner) }
            return "{\n" + lines.joined(separator: ",\n") + "\n\(indent)}"
        case .array(let elements) where elements.contains(where: isContainer):
            return "[\n" + elements.map { inner + text($0, indent: inner) }.joined(separator: ",\n") + "\n\(indent)]"
        case .array(let elements): return "[" + elements.map(plain).joined(separator: ", ") + "]"
        case .object, .string, .number, .bool, .null: return plain(value)
        }
    }

    private static func isContainer(_ value: JSONValue) -> Bool {
        switch value {
        case .object, .array: true
        case .string, .number, .bool, .null: false
        }
    }

    private static func plain(_ value: JSONValue) -> String { String(decoding: value.serialized, as: UTF8.self) }
}
