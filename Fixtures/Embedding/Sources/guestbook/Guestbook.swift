import FoundationEssentials
import TunnelAgent
import TunnelClient

/// A program that is its own web server under a public name: nothing listens on this machine.
@main struct Guestbook {
    static func main() async throws {
        guard CommandLine.arguments.count == 5 else {
            print("usage: guestbook SERVER_URL CA_FILE KEY_FILE TUNNEL_NAME")
            return
        }
        let (authorities, keyFile, name) = (CommandLine.arguments[2], CommandLine.arguments[3], CommandLine.arguments[4])
        let key = try String(contentsOfFile: keyFile, encoding: .utf8).split(whereSeparator: \.isWhitespace).joined()

        // The control plane: a tunnel of this name, made now if there is none.
        let server = try ServerURL(validating: CommandLine.arguments[1])
        let client = CulvertClient(
            server: server, apiKey: .fixed(key), transport: try NetworkTransport(trust: .authorities(file: authorities)))
        var found = try await client.tunnel(named: name)
        if found == nil { found = try await client.createTunnel(named: name).tunnel }
        guard let tunnel = found, let zone = tunnel.zone, let host = tunnel.publicHost else { return }

        // The data plane: an agent whose requests are answered by a closure.
        let book = Book()
        let agent = TunnelAgent(
            AgentConfiguration(
                zone: zone, edge: EdgeAddress(host: server.host, port: server.port), tunnelID: tunnel.id, publicHost: host,
                credential: .apiKey(key), trust: .authorities(file: authorities)),
            serving: .handler { request in try await answer(request, from: book) })
        let running = Task { await agent.run() }
        for await event in agent.events {
            switch event {
            case .connected(let publicURL): print("the guestbook is open at \(publicURL)")
            case .request(let report): print("\(report.method) \(report.status ?? 0)")
            case .stopped(let stop): print("\(stop)")
            default: break
            }
        }
        _ = await running.value
    }

    /// GET shows what stands in the book; POST adds its body, at most 1,000 bytes, as a line.
    private static func answer(_ request: AgentRequest, from book: Book) async throws -> AgentResponse {
        switch request.method {
        case "GET":
            let plain = AgentField("content-type", "text/plain; charset=utf-8")
            return AgentResponse(status: 200, fields: [plain], body: Array(await book.page().utf8))
        case "POST":
            do {
                await book.add(String(decoding: try await request.body.collect(upTo: 1_000), as: UTF8.self))
                return AgentResponse(status: 204)
            } catch is AgentRequestBody.BodyTooLong {
                return AgentResponse(status: 413)
            }
        default:
            return AgentResponse(status: 405, fields: [AgentField("allow", "GET, POST")])
        }
    }
}

/// What visitors have written.
actor Book {
    private var lines: [String] = []

    func add(_ line: String) { lines.append(line) }
    func page() -> String { lines.map { "\($0)\n" }.joined() }
}
