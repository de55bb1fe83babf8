import HTTPTransport
import LinuxIO
import TLS
import TunnelWire

/// Sends one signed event, and says what came of it.
struct EventSender {
    let url: WebhookURL
    /// Whom to trust for `https`; nil for whom the system trusts.
    let caFile: String?

    static let timeoutSeconds = 60

    func send(_ fields: [WebhookField], _ body: [UInt8]) async throws -> BufferedResponse {
        var head = HTTPRequestHead(
            method: "POST", target: url.target, authority: url.authority, scheme: url.isTLS ? "https" : "http")
        for field in fields { head.fields.append(name: field.name, value: field.value) }
        let loop = try EventLoop()
        defer { loop.stop() }
        let client: HTTPClient
        do { client = try HTTPClient(eventLoop: loop, trust: url.isTLS ? caFile.map { .file($0) } ?? .system : nil) } catch {
            throw Complaint("the authorities of --ca-file cannot be read: \(error)")
        }
        var last = "it has no address"
        for address in try await addresses() {
            let endpoint = HTTPEndpoint(address: address, host: url.host, isTLS: url.isTLS)
            do {
                return try await client.send(head, body: body, to: endpoint, timeoutSeconds: Self.timeoutSeconds)
            } catch HTTPClientError.unreachable(.tls(let error)) {
                throw Complaint(
                    "the certificate of \(url.origin) is not trusted: \(error)",
                    advice: "Name the file of its authority with --ca-file.")
            } catch HTTPClientError.unreachable(let error) {
                last = "\(error)"
            } catch {
                throw Complaint("\(url.origin) did not answer: \(error)")
            }
        }
        throw Complaint("nobody answers at \(url.origin): \(last)", advice: "Does “culvert-hook serve” run there?")
    }

    private func addresses() async throws -> [SocketAddress] {
        if let ip = SocketAddress.IP(v4: url.host) ?? SocketAddress.IP(v6: url.host) {
            return [SocketAddress(ip: ip, port: url.port)]
        }
        switch await AddressResolver.resolveElsewhere(url.host, port: url.port) {
        case .success(let found): return found
        case .failure(let error): throw Complaint("\(error)", advice: "Is the name in --url right?")
        }
    }
}
